"""The options of every `import` command that say how a list is written."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header line, plain or gzip.")]
DelimiterOption = Annotated[str, typer.Option(help="What separates the cells; tab for a tabulator.")]
AllowBadOption = Annotated[int, typer.Option(min=0, help="How many bad lines to pass over.")]


class Encoding(StrEnum):
    """How a list is encoded."""

    UTF_8 = "utf-8"
    LATIN_1 = "iso-8859-1"
    WINDOWS_1252 = "windows-1252"


EncodingOption = Annotated[Encoding, typer.Option(help="How the text is encoded.")]


def layout_parameters(delimiter: str, encoding: Encoding, allow_bad: int) -> dict[str, Any]:
    """The same as query parameters."""
    return {"delimiter": delimiter, "encoding": encoding.value, "allow_bad": allow_bad}
