"""Labelled texts to learn from and to be judged by: from the corpus, or from a file."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from chappe.classify.fingerprint import fingerprint
from chappe.classify.labels import Kind, Label
from chappe.classify.templates import Filler, Template
from chappe.model.errors import InvalidConfiguration

_ALIASES = {"personal": Label.CONVERSATIONAL, "ham": Label.CONVERSATIONAL, "fraud": Label.SPAM}
FILLINGS = 3
"""How often each template is filled for training: what the slots hold matters little, since digits are masked."""


class Example(msgspec.Struct, frozen=True):
    """`group` joins texts that are alike (one template): a split must keep them together."""

    text: str
    label: Label
    group: str
    kind: Kind | None = None
    source: str = ""


def from_corpus(templates: Sequence[Template], filler: Filler, fillings: int = FILLINGS) -> list[Example]:
    """Each template filled so many times."""
    return [
        Example(filler.fill(template, number), template.label, template.id, template.kind, template.language)
        for template in templates
        for number in range(fillings)
    ]


def from_csv(path: Path) -> list[Example]:
    """The rows of a CSV file (gzip too) with the columns `text` and `label`, and optionally `group`, `kind`, `source`.

    Without groups, texts with one fingerprint are a group. Raises `InvalidConfiguration` naming the bad lines.
    """
    examples: list[Example] = []
    problems: list[str] = []
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"text", "label"} - set(reader.fieldnames or ())
        if missing:
            raise InvalidConfiguration(f"{path}: the column {' and '.join(sorted(missing))} is missing.")
        for row in reader:
            try:
                label = _ALIASES.get(row["label"]) or Label(row["label"])
                kind = Kind(row["kind"]) if row.get("kind") else None
            except ValueError as error:
                problems.append(f"line {reader.line_num}: {error}")
                continue
            text = row["text"] or ""
            group = row.get("group") or fingerprint(text).decode("utf-8", "replace")
            examples.append(Example(text, label, group, kind, row.get("source") or ""))
    if problems:
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise InvalidConfiguration(f"{path}: {len(problems)} bad lines:\n  " + "\n  ".join(problems[:20]) + more)
    return examples


def groups_of(examples: Iterable[Example]) -> list[str]:
    return [example.group for example in examples]
