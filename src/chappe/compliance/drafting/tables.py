"""Tables drawn with bars: each row read as a sentence of its cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_RULE = re.compile(r"[\s|:+=-]+")
_BEGINS = ("from", "start", "begin", "begins", "opens", "earliest")
_ENDS = ("to", "until", "end", "ends", "closes", "latest")


class Row(msgspec.Struct, frozen=True):
    """`start` and `length` count characters of the table; `words` is the row as a sentence."""

    start: int
    length: int
    words: str


def is_row(line: str) -> bool:
    """Whether a line is drawn as the row of a table."""
    return "|" in line.strip().strip("|")


def read_table(text: str) -> Iterator[Row]:
    """The rows that say something: neither lines drawn between rows nor the row that names the columns."""
    header: list[str] | None = None
    position = 0
    for line in text.splitlines(keepends=True):
        start, position = position, position + len(line)
        stripped = line.strip()
        if not stripped or _RULE.fullmatch(stripped):
            continue
        cells = [cell.strip() for cell in stripped.strip("|").split("|")]
        if header is None:
            header = [cell.lower() for cell in cells]
            if not any(character.isdigit() for character in stripped):
                continue
            header = []
        yield Row(start + len(line) - len(line.lstrip()), len(stripped), _sentence(cells, header))


def _sentence(cells: list[str], header: list[str]) -> str:
    parts = []
    for number, cell in enumerate(cells):
        column = header[number].split(" ")[0] if number < len(header) and header[number] else ""
        if column in _BEGINS and cell[:1].isdigit():
            cell = f"from {cell}"
        elif column in _ENDS and cell[:1].isdigit():
            cell = f"to {cell}"
        if cell:
            parts.append(cell)
    return f"{parts[0]}: {' '.join(parts[1:])}" if len(parts) > 1 else " ".join(parts)
