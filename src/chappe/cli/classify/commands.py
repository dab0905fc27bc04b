"""`chappe classify`: what a text is and why, messages made up from the corpus, reviews and models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chappe.cli.classify import evaluating, models, reviews, training
from chappe.cli.connection import JsonOption
from chappe.cli.output import messages, print_json, terminal
from chappe.model.errors import InvalidInput

if TYPE_CHECKING:
    from rich.table import Table

    from chappe.classify.explain import Explanation
    from chappe.classify.links import Link
    from chappe.classify.model import Model

app = typer.Typer(
    no_args_is_help=True,
    help="Judge texts by their content, review what was held, and manage the models that judge.",
    rich_markup_mode=None,
)
app.add_typer(reviews.app, name="review")
app.add_typer(models.app, name="models")
app.command("train")(training.train)
app.command("evaluate")(evaluating.evaluate)

_WORDS_DEFAULT = 15
_BAR_CHARACTERS = 20


@app.command("explain")
def explain_text(
    text: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A model file. [default: the model that comes with Chappe]")
    ] = None,
    words: Annotated[int, typer.Option(min=1, help="How many words to show.")] = _WORDS_DEFAULT,
    json: JsonOption = False,
) -> None:
    """Say what a text is taken for, and which words weighed how much. Needs no server."""
    from chappe.classify.artefact import load_model, packaged_model
    from chappe.classify.explain import explain
    from chappe.classify.links import links_in
    from chappe.classify.moderation import load_moderator

    given = sys.stdin.read() if text == "-" else text
    if not given.strip():
        raise InvalidInput("there is no text to explain")
    judge = packaged_model() if model is None else load_model(model)
    explanation = explain(judge, given)
    categories = load_moderator().categories_of(given)
    links = links_in(given)
    if json:
        print_json(_document(judge, explanation, categories, links, words))
        return
    _show(explanation, categories, links, words)


@app.command()
def generate(
    corpus: Annotated[Path, typer.Option(metavar="FOLDER", help="Templates and what fills them.")] = Path("corpus"),
    count: Annotated[int, typer.Option(min=1, help="How many messages.")] = 1_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same messages.")] = 0,
    language: Annotated[list[str] | None, typer.Option(help="Only this language. May be repeated.")] = None,
) -> None:
    """Make up labelled messages from the templates of a corpus, one JSON object a line, as many as wanted.

    They are written as they are made, so that a million take no more memory than one.
    """
    import msgspec

    from chappe.classify.templates import Filler, read_templates
    from chappe.classify.templates import generate as fill

    templates = read_templates(corpus)
    if language:
        known = {template.language for template in templates}
        unknown = set(language) - known
        if unknown:
            raise InvalidInput(
                f"the corpus has no templates in {', '.join(sorted(unknown))}; there are: {sorted(known)}"
            )
        templates = [template for template in templates if template.language in language]
    encoder = msgspec.json.Encoder()
    out = sys.stdout.buffer
    try:
        for made in fill(templates, Filler(corpus, seed), count):
            template = made.template
            line = {
                "text": made.text,
                "label": template.label,
                "kind": template.kind,
                "group": template.id,
                "channel": template.channel,
                "language": template.language,
                "industry": template.industry,
                "region": template.region,
            }
            out.write(encoder.encode(line) + b"\n")
        out.flush()
    except BrokenPipeError:
        # Whoever reads has enough, as with `| head`. What is left in the buffer must not be tried again at the exit.
        sys.stdout = None
        raise typer.Exit(0) from None


def _document(
    judge: Model, explanation: Explanation, categories: tuple[str, ...], links: list[Link], words: int
) -> dict[str, Any]:
    import msgspec

    from chappe.classify.model import LABELS
    from chappe.classify.policy import is_uncertain

    verdict = explanation.verdict
    return {
        "label": verdict.label,
        "probability": round(verdict.probability, 4),
        "probabilities": {label: round(verdict.probability_of(label), 4) for label in LABELS},
        "kind": verdict.kind,
        "uncertain": is_uncertain(verdict),
        "model": judge.version,
        "against": explanation.against,
        "margin": explanation.margin,
        "bias": explanation.bias,
        "words": msgspec.to_builtins(explanation.weighed[:words]),
        "fingerprint": explanation.fingerprint,
        "moderation": list(categories),
        "links": msgspec.to_builtins(links),
    }


def _show(explanation: Explanation, categories: tuple[str, ...], links: list[Link], words: int) -> None:
    from chappe.classify.model import LABELS
    from chappe.classify.policy import is_uncertain

    console = terminal()
    verdict = explanation.verdict
    kind = f" ({verdict.kind})" if verdict.kind else ""
    unsure = ", which is uncertain" if is_uncertain(verdict) else ""
    console.print(f"[bold]{verdict.label}[/bold]{kind}, with a probability of {verdict.probability:.3f}{unsure}")
    others = (label for label in LABELS if label is not verdict.label)
    console.print("  " + ", ".join(f"{label} {verdict.probability_of(label):.3f}" for label in others), style="dim")
    likeliest = max(LABELS, key=verdict.probability_of)
    if likeliest is not verdict.label:
        console.print(f"  {likeliest} is likelier, but by less than this model asks for before it says so", style="dim")
    console.print(_words_table(explanation, words))
    if not verdict.grams:
        messages().print("the model knows none of these words")
    if categories:
        console.print(f"moderation: {', '.join(categories)}")
    for link in links:
        found = ", ".join(link.suspicions) or "nothing suspicious"
        console.print(f"link {link.host}: {found}", markup=False)


def _words_table(explanation: Explanation, words: int) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"for {explanation.verdict.label} (+) or {explanation.against} (-)", title_justify="left")
    table.add_column("word")
    table.add_column("weight", justify="right")
    table.add_column("")
    shown = explanation.weighed[:words]
    largest = max((abs(entry.weight) for entry in shown), default=1.0)
    for entry in shown:
        style = "green" if entry.weight > 0 else "red"
        bar = "█" * max(1, round(abs(entry.weight) / largest * _BAR_CHARACTERS))
        table.add_row(escape(entry.gram), f"{entry.weight:+.3f}", bar, style=style)
    rest = sum(entry.weight for entry in explanation.weighed[words:])
    if len(explanation.weighed) > words:
        table.add_row(f"{len(explanation.weighed) - words} others", f"{rest:+.3f}", "", style="dim")
    table.add_row("without any word", f"{explanation.bias:+.3f}", "", style="dim")
    table.add_row("together", f"{explanation.margin:+.3f}", "", style="bold")
    return table
