"""Labelled texts to learn from and to be judged by: from the corpus, or from a file."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from chappe.classify.labels import Kind, Label
from chappe.classify.second.metadata import UNKNOWN, Metadata
from chappe.classify.templates import Filler, Template
from chappe.model.errors import InvalidConfiguration
from chappe.model.unreadable import unreadable

_ALIASES = {"personal": Label.CONVERSATIONAL, "ham": Label.CONVERSATIONAL, "fraud": Label.SPAM}
FILLINGS = 4
"""How often each template is filled for training: what the slots hold matters little, since digits are masked."""
MIXED = "mixed"
"""The name of a file with templates of all industries."""

SUBJECT = "Subject: "
"""How e-mails begin in templates."""
HARD_WEIGHT = 0.3
"""Hard cases are a tenth of the corpus on purpose, and rarer among messages that are sent."""


class Example(msgspec.Struct, frozen=True):
    """`group` joins texts that are alike (one template): a split must keep them together. It may be empty until
    `splitting.grouped` has found out. `source` is whose hand wrote it or where it was collected, `subject` what it is
    about; both may be empty, and so may `language`.
    """

    text: str
    label: Label
    group: str
    kind: Kind | None = None
    source: str = ""
    metadata: Metadata = UNKNOWN
    subject: str = ""
    language: str = ""
    weight: float = 1.0


def from_corpus(templates: Sequence[Template], filler: Filler, fillings: int = FILLINGS) -> list[Example]:
    """Each template filled so many times."""
    return [
        Example(
            # The server judges a subject and the text below it, without a word that says which is which.
            filler.fill(template, number).removeprefix(SUBJECT),
            template.label,
            template.id,
            template.kind,
            source=f"{template.language}{template.part}",
            subject="" if template.industry == MIXED else template.industry,
            language=template.language,
            weight=HARD_WEIGHT if template.hard else 1.0,
        )
        for template in templates
        for number in range(fillings)
    ]


def from_csv(path: Path) -> list[Example]:
    """The rows of a CSV file (gzip too) with the columns `text` and `label`, and optionally `group`, `kind`, `source`
    and the fields of `Metadata`: also what the reviews' feedback is exported as. Without a source it is the file's
    name.

    Raises `InvalidConfiguration` naming the bad lines.
    """
    examples: list[Example] = []
    problems: list[str] = []
    try:
        with _open(path) as file:
            reader = csv.DictReader(file)
            if not reader.fieldnames:
                raise InvalidConfiguration(f"{path}: the file is empty.")
            missing = {"text", "label"} - set(reader.fieldnames)
            if missing:
                found = ", ".join(reader.fieldnames)[:200]
                raise InvalidConfiguration(
                    f"{path}: no column is called {' or '.join(sorted(missing))}; the first line names: {found}."
                )
            for row in reader:
                try:
                    examples.append(_example(row, path))
                except ValueError as error:
                    problems.append(f"line {reader.line_num}: {error}")
    except (gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise InvalidConfiguration(f"{path}: this cannot be read as CSV: {error}.", file=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    if problems:
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise InvalidConfiguration(f"{path}: {len(problems)} bad lines:\n  " + "\n  ".join(problems[:20]) + more)
    if not examples:
        raise InvalidConfiguration(f"{path}: there are no examples in it.")
    return examples


def _open(path: Path) -> IO[str]:
    # "utf-8-sig", because spreadsheets write the mark.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _example(row: Mapping[str, str | None], path: Path) -> Example:
    """Raises `ValueError`."""
    name = (row["label"] or "").strip().lower()
    label = _ALIASES.get(name)
    if label is None:
        label = _label(name)
    kind = Kind(row["kind"] or "") if row.get("kind") else None
    if kind is not None and label is not Label.TRANSACTIONAL:
        raise ValueError("only what is transactional has a kind")
    text = row["text"] or ""
    if not text.strip():
        raise ValueError("the text is empty")
    group = row.get("group") or ""
    # Two files may number their groups alike.
    return Example(
        text, label, f"{path.name}:{group}" if group else "", kind, row.get("source") or path.name, _metadata(row)
    )


def _label(name: str) -> Label:
    """Raises `ValueError`."""
    try:
        return Label(name)
    except ValueError:
        raise ValueError(f"the label {name[:40]!r} is none of {', '.join([*Label, *_ALIASES])}") from None


def _metadata(row: Mapping[str, str | None]) -> Metadata:
    """Raises `ValueError`."""
    given = {name: value for name in Metadata.__struct_fields__ if (value := row.get(name))}
    return msgspec.convert(given, Metadata, strict=False) if given else UNKNOWN
