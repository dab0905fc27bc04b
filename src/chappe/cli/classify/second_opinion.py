"""What `chappe classify train` and `evaluate` do with a second opinion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chappe.cli.output import messages
from chappe.model.errors import ExtraMissing, InvalidConfiguration

if TYPE_CHECKING:
    from chappe.classify.model import Model
    from chappe.classify.training.building import Progress
    from chappe.classify.training.comparison import Compared
    from chappe.classify.training.examples import Example

EmbeddingOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="A sentence embedding of the BERT family: config.json, model.safetensors and tokenizer.json. "
        "[default: all-MiniLM-L6-v2 of the extra chappe\\[embed]]",
    ),
]


def compare(
    examples: list[Example], judge: Model, second_opinion: Path, embedding: Path | None, *, quiet: bool
) -> list[Compared]:
    """Judge the examples by the model alone and with the second opinion. Raises `ExtraMissing`."""
    need_libraries()
    from chappe.classify.second.opinion import load_opinion
    from chappe.classify.training import comparison

    second = load_opinion(second_opinion, embedding)
    try:
        with progress_bar("second opinion", hidden=quiet) as progress:
            return comparison.compare(examples, judge, second, lambda done: progress(done, len(examples)))
    finally:
        second.close()


def make_second_opinion(path: Path, embedding: Path | None, examples: list[Example], data: str, *, quiet: bool) -> None:
    """Embed, teach and write. Examples that the words cannot tell apart are embedded once."""
    from chappe.classify.fingerprint import fingerprint
    from chappe.classify.model import LABELS
    from chappe.classify.second.embedding import embedder
    from chappe.classify.second.metadata import NAMES
    from chappe.classify.second.opinion import FORMAT, Header, write_opinion
    from chappe.classify.training.forest import embeddings, train_forest

    embeds = embedder(embedding)
    kept = list({(fingerprint(entry.text), entry.group, entry.metadata): entry for entry in examples}.values())
    with progress_bar("embedding", hidden=quiet) as progress:
        embedded = embeddings(kept, embeds, lambda done: progress(done, len(kept)))
    messages().print("growing the forest ...")
    vocabulary, forest = train_forest(kept, embedded)
    header = Header(FORMAT, embeds.digest, embeds.width, tuple(map(str, LABELS)), NAMES, data)
    try:
        write_opinion(path, header, vocabulary, forest)
    except OSError as error:
        raise InvalidConfiguration(f"{path}: this cannot be written: {error.strerror}.", file=str(path)) from error
    messages().print(
        f"{path}: {forest.trees} trees over {vocabulary.width:,} grams, {embeds.width} numbers of the embedding and "
        f"{len(NAMES)} of metadata, {path.stat().st_size / 1e6:.1f} MB",
        markup=False,
    )


def need_libraries() -> None:
    """Raises `ExtraMissing` where the libraries to train with are not installed."""
    try:
        import sklearn  # noqa: F401 - asked for here, so that the error comes before the files are read
    except ImportError as error:
        raise ExtraMissing("to train a model needs an extra: pip install 'chappe[train]'") from error


@contextmanager
def progress_bar(what: str, *, hidden: bool) -> Iterator[Progress]:
    """A bar on standard error, on terminals only; gives what is called with the steps done and all of them."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = messages()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, steps: bars.update(task, completed=done, total=steps)
