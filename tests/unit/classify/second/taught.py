"""A second opinion that was taught a few words, to be asked beside the model of a few words."""

from __future__ import annotations

from pathlib import Path

from tests.unit.classify.second import tiny_bert

from chappe.classify.labels import Label
from chappe.classify.model import LABELS
from chappe.classify.second.embedding import Embedder
from chappe.classify.second.metadata import NAMES
from chappe.classify.second.opinion import FORMAT, Header, write_opinion
from chappe.classify.training.examples import Example
from chappe.classify.training.forest import embeddings, train_forest

UNHEARD = "now is your now"
"""Nothing in it is known to the tiny model, to which four classes are equally likely; this one calls it a promotion."""
_TEXTS = {Label.PROMOTIONAL: UNHEARD, Label.TRANSACTIONAL: "your code is 0", Label.SPAM: "buy sale buy"}


def write_taught(folder: Path) -> None:
    """`second.npz` in the folder, and the embedding it was taught with, `bert`."""
    tiny_bert.write(folder / "bert")
    embedder = Embedder(folder / "bert")
    examples = [Example(text, label, f"{label}{turn}") for label, text in _TEXTS.items() for turn in range(12)]
    lexical, forest = train_forest(examples, embeddings(examples, embedder, lambda done: None), trees=25)
    header = Header(FORMAT, embedder.digest, embedder.width, tuple(map(str, LABELS)), NAMES, "a few words")
    write_opinion(folder / "second.npz", header, lexical, forest)
