"""`chappe classify train`: a model from labelled messages."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chappe.cli.classify.evaluating import figures_documents
from chappe.cli.classify.second_opinion import (
    EmbeddingOption,
    make_second_opinion,
    need_libraries,
    progress_bar,
)
from chappe.cli.connection import JsonOption
from chappe.cli.output import messages, print_json, terminal
from chappe.model.errors import InvalidConfiguration, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chappe.classify.artefact import ModelCard
    from chappe.classify.training.building import Built
    from chappe.classify.training.evaluation import Figures
    from chappe.classify.training.examples import Example

_LICENCE = "that of the messages it was made from"
_LIMITS = (
    "It goes by words and pairs of words: what it has not seen, and what is said by what is left out, it cannot "
    "know. The figures hold for messages like those it was judged by."
)


def train(
    labelled: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="LABELLED.csv",
            help="Files with the columns text and label, and maybe kind, group and source; may be gzipped.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the model goes.")] = Path("model.json"),
    corpus: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Learn from the templates of this corpus as well.")
    ] = None,
    max_false_positives: Annotated[
        str,
        typer.Option(
            metavar="SHARE", help="The most transactional messages, of those held out, that may be called promotional."
        ),
    ] = "4%",
    check: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Judge these messages with the model, without learning from them. May be repeated."
        ),
    ] = None,
    second_opinion: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also make a second opinion from the same messages; needs chappe[embed]."),
    ] = None,
    embedding: EmbeddingOption = None,
    name: Annotated[str, typer.Option(help="What the model's card calls it.")] = "chappe",
    licence: Annotated[str, typer.Option(help="The licence that the card states.")] = _LICENCE,
    json: JsonOption = False,
) -> None:
    """Make a model from labelled messages and say how good it is. Needs the extra `chappe[train]`.

    Messages that are alike are a group: they share a `group` in the file, or are found by the words they share. A
    group is learnt from or held out, never both; there is no random split, because it measures memory.
    """
    bound = _share(max_false_positives)
    if not labelled and corpus is None:
        raise InvalidInput("there is nothing to learn from: name files of labelled messages, or a corpus with --corpus")
    need_libraries()
    from chappe.classify.artefact import ARTEFACT_BYTES_MAX, artefact_bytes
    from chappe.classify.model import Model
    from chappe.classify.training import splitting
    from chappe.classify.training.building import build
    from chappe.classify.training.evaluation import evaluate, judge_with
    from chappe.classify.training.examples import from_csv

    given, data = _examples(labelled or [], corpus)
    checked = [(path.name, splitting.grouped(from_csv(path))) for path in check or []]
    examples = splitting.grouped(given)
    splitting.check(examples)
    with progress_bar("training", hidden=json) as progress:
        built = build(examples, false_positives_max=bound, progress=progress)
    model = Model(built.weights, name)
    figures = {"held-out groups": built.figures}
    if built.of_strangers is not None:
        figures["held-out origins"] = built.of_strangers
    figures |= {f"{file}, not learnt from": evaluate(found, judge_with(model)) for file, found in checked}
    card = _card(name, data, licence, bound, figures_documents(figures))
    content = artefact_bytes(card, built.weights)
    if len(content) > ARTEFACT_BYTES_MAX:
        raise InvalidInput(f"the model would have {len(content)} bytes; at most {ARTEFACT_BYTES_MAX} can be loaded")
    _write(out, content)
    _report(out, content, built, card, figures, bound, json=json)
    if second_opinion is not None:
        make_second_opinion(second_opinion, embedding, examples, data, quiet=json)


def _examples(files: Sequence[Path], corpus: Path | None) -> tuple[list[Example], str]:
    """What to learn from, and the card's words for it."""
    from chappe.classify.templates import Filler, corpus_digest, read_templates
    from chappe.classify.training.examples import from_corpus, from_csv

    examples: list[Example] = []
    told: list[str] = []
    if corpus is not None:
        templates = read_templates(corpus)
        examples += from_corpus(templates, Filler(corpus))
        languages = len({template.language for template in templates})
        told.append(f"{len(templates)} templates in {languages} languages of the corpus {corpus_digest(corpus)}")
    for path in files:
        found = from_csv(path)
        examples += found
        told.append(f"{len(found)} labelled messages of {path.name}")
    return examples, "; ".join(told)


def _card(name: str, data: str, licence: str, bound: float, figures: dict[str, Any]) -> ModelCard:
    from chappe.classify.artefact import ModelCard
    from chappe.classify.training.splitting import FOLDS

    return ModelCard(
        name=name,
        made_on=datetime.datetime.now(datetime.UTC).date().isoformat(),
        data=data,
        split=f"cross-validation in {FOLDS} parts by groups of messages that are alike; a group is never in two parts",
        licence=licence,
        limits=_LIMITS,
        figures={"false_positives_max": bound, **figures},
    )


def _report(
    out: Path,
    content: bytes,
    built: Built,
    card: ModelCard,
    figures: dict[str, Figures],
    bound: float,
    *,
    json: bool,
) -> None:
    from chappe.classify.artefact import read_artefact

    version = read_artefact(content, str(out)).version
    if json:
        print_json(
            {
                "model": str(out),
                "version": version,
                "bytes": len(content),
                "grams": len(built.weights.grams),
                "promotional_floor": built.weights.promotional_floor,
                "bound_kept": built.floor_kept,
                "temperature": built.weights.temperature,
                "data": card.data,
                "figures": card.figures,
            }
        )
        return
    from chappe.cli.classify.tables import class_table, confusion_table, summary_table

    console = terminal()
    first = next(iter(figures.values()))
    for table in (summary_table(figures), class_table(first), confusion_table(first)):
        console.print(table)
    console.print(
        f"{out}: model {version}, {len(built.weights.grams):,} grams, {len(content) / 1e6:.2f} MB, from {card.data}",
        markup=False,
    )
    console.print(
        f"called promotional from {built.weights.promotional_floor:g} on, so that of held-out transactional messages "
        f"at most {bound:.1%} are",
        markup=False,
    )
    if not built.floor_kept:
        messages().print(f"[yellow]no threshold keeps false positives within {bound:.1%}[/yellow]; the highest is used")


def _share(text: str) -> float:
    """A share as `4%` or `0.04`. Raises `InvalidInput`."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise InvalidInput(f"--max-false-positives must be a share such as 4% or 0.04, not {text}")
    return value


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InvalidConfiguration(f"{path}: the model cannot be written: {error.strerror}.", file=str(path)) from error
