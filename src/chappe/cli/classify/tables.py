"""The figures of a model as tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.table import Table

from chappe.classify.model import LABELS
from chappe.classify.training.comparison import Compared
from chappe.classify.training.evaluation import Figures, Share


def summary_table(figures: Mapping[str, Figures]) -> Table:
    """One row an evaluation. `-` where the messages have no such class."""
    table = Table(title="shares with their 95 % intervals", title_justify="left")
    table.add_column("messages of")
    for name in (
        "messages",
        "groups",
        "accuracy",
        "trans./promo. accuracy",
        "false positives",
        "macro-F1",
        "cal. error",
    ):
        table.add_column(name, justify="right")
    for title, found in figures.items():
        table.add_row(
            title,
            f"{found.examples:,}",
            f"{found.groups:,}",
            _text(found.accuracy),
            _text(found.two_class),
            _text(found.false_positives),
            _number(found.macro_f1),
            _number(found.calibration_error),
        )
    return table


def comparison_table(compared: Sequence[Compared]) -> Table:
    """One row a way to judge."""
    table = Table(title="the fast path and the second opinion, with 95 % intervals", title_justify="left")
    table.add_column("judged by")
    for name in ("covered", "accuracy", "trans./promo. accuracy", "false positives", "macro-F1"):
        table.add_column(name, justify="right")
    for entry in compared:
        found = entry.figures
        table.add_row(
            entry.name,
            f"{entry.covered.value:.1%}",
            _text(found.accuracy),
            _text(found.two_class),
            _text(found.false_positives),
            _number(found.macro_f1),
        )
    return table


def class_table(figures: Figures) -> Table:
    """One row a class."""
    table = Table(title="by class", title_justify="left")
    table.add_column("class")
    for name in ("precision", "recall", "F1"):
        table.add_column(name, justify="right")
    for found in figures.classes:
        table.add_row(found.label, _text(found.precision), _text(found.recall), _number(found.f1))
    return table


def confusion_table(figures: Figures) -> Table:
    """How often what is one class was called another."""
    table = Table(title="what it is (row) and what it was called (column)", title_justify="left")
    table.add_column("")
    for label in LABELS:
        table.add_column(label, justify="right")
    for label, row in zip(LABELS, figures.confusion, strict=True):
        table.add_row(label, *[f"{count:,}" for count in row])
    return table


def _text(share: Share) -> str:
    return str(share) if share.of else "-"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
