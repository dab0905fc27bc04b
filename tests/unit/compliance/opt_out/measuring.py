"""The sets of phrases, and how well a reading of them does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from chappe.compliance.opt_out import CERTAIN, Intent, Reply, read_reply

FOLDER = Path(__file__).parent
DEVELOPED, HELD_OUT = FOLDER / "developed.yaml", FOLDER / "held_out.yaml"


@dataclass(frozen=True)
class Phrase:
    """A text and what it means."""

    language: str
    text: str
    intent: Intent


@dataclass(frozen=True)
class Figures:
    """Of the texts read as an opt-out, how many are (precision); of the opt-outs, how many were so read (recall)."""

    phrases: int
    opt_outs: int
    precision: float
    recall: float


def phrases(path: Path) -> Iterator[Phrase]:
    """The phrases of a file."""
    for language, by_intent in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for intent, texts in by_intent.items():
            for text in texts:
                yield Phrase(language, text, Intent(intent))


def measure(path: Path, at_least: float = CERTAIN) -> Figures:
    """How well opt-outs are found, counting readings of at least this confidence. The language is not given."""
    read = [(phrase, read_reply(phrase.text)) for phrase in phrases(path)]
    found = [phrase for phrase, reply in read if is_opt_out(reply, at_least)]
    meant = [phrase for phrase, _ in read if phrase.intent is Intent.OPT_OUT]
    right = sum(phrase.intent is Intent.OPT_OUT for phrase in found)
    return Figures(len(read), len(meant), right / len(found), right / len(meant))


def is_opt_out(reply: Reply, at_least: float) -> bool:
    """Whether a reply counts as an opt-out from this confidence on."""
    return reply.intent is Intent.OPT_OUT and reply.confidence >= at_least
