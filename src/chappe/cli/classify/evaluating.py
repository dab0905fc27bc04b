"""`chappe classify evaluate`: what a model is worth on labelled messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chappe.cli.classify.second_opinion import (
    EmbeddingOption,
    compare,
)
from chappe.cli.connection import JsonOption
from chappe.cli.output import print_json, terminal
from chappe.model.errors import InvalidInput

if TYPE_CHECKING:
    from chappe.classify.training.evaluation import Figures


def evaluate(
    labelled: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file with the columns text and label, as for train.")
    ],
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A model file. [default: the model that comes with Chappe]")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="source", help="Also each source of the file by itself: --by source.")
    ] = None,
    second_opinion: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask this second opinion too, and show both side by side."),
    ] = None,
    embedding: EmbeddingOption = None,
    json: JsonOption = False,
) -> None:
    """Judge labelled messages and compare: accuracy, false positives and F1, each with what chance leaves open.

    Needs no server. False positives are transactional messages that are called promotional; the intervals hold with
    95 % and count each message by itself.
    """
    if by not in (None, "source"):
        raise InvalidInput("--by can only be source")
    from chappe.classify.artefact import load_model, packaged_model
    from chappe.classify.training.evaluation import evaluate as judge_all
    from chappe.classify.training.evaluation import figures_document, judge_with
    from chappe.classify.training.examples import from_csv
    from chappe.classify.training.splitting import grouped

    examples = grouped(from_csv(labelled))
    judge = packaged_model() if model is None else load_model(model)
    figures = {"all": judge_all(examples, judge_with(judge))}
    if by:
        for source in sorted({example.source for example in examples}):
            mine = [example for example in examples if example.source == source]
            figures[source] = judge_all(mine, judge_with(judge))
    compared = [] if second_opinion is None else compare(examples, judge, second_opinion, embedding, quiet=json)
    if json:
        document = {"model": judge.version, "file": str(labelled), "figures": figures_documents(figures)}
        beside = {entry.name: {"covered": entry.covered.value, **figures_document(entry.figures)} for entry in compared}
        print_json(document | ({"second_opinion": beside} if beside else {}))
        return
    from chappe.cli.classify.tables import class_table, comparison_table, confusion_table, summary_table

    console = terminal()
    console.print(f"{labelled}, judged by model {judge.version}", markup=False)
    for table in (summary_table(figures), class_table(figures["all"]), confusion_table(figures["all"])):
        console.print(table)
    if compared:
        console.print(comparison_table(compared))


def figures_documents(figures: dict[str, Figures]) -> dict[str, Any]:
    """Figures by what they are of, as documents."""
    from chappe.classify.training.evaluation import figures_document

    return {title: figures_document(found) for title, found in figures.items()}
