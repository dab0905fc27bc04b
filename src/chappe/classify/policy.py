"""What follows from a verdict: nothing, another purpose, a review, or a block. Pure.

Two mistakes are weighed against each other. A promotion that goes as transactional is what fines are for; a one-time
code that does not arrive locks a person out, and a review that takes an hour is no help to them. So messages that look
like codes and alerts need a far higher probability before anything is done to them, and nothing is blocked for its
label unless that is asked for: whoever sends through this server has a key to it, so spam is rare here and most of what
looks like it is not.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chappe.classify.labels import Kind, Label
from chappe.classify.links import Suspicion
from chappe.classify.model import Verdict
from chappe.model.classification import Flag, Treatment

CLASSIFIER = "classifier"
MODERATION = "moderation"
LINKS = "links"
URGENT_KINDS = frozenset({Kind.CODE, Kind.ALERT})
URGENT_SHARE_MIN = 0.02
"""What kind a text would be says little of one that is hardly transactional at all. No real code or alert that was
taken for something else had less, and many real promotions have."""
LOW_CONFIDENCE = 0.7
"""Below it a verdict is uncertain: where a second opinion pays, as measured on real messages."""


class Policy(msgspec.Struct, frozen=True):
    """`promotional` and `spam` are what is done with messages of these classes from their thresholds on.

    `urgent_threshold` takes the place of both for messages that look like one-time codes and alerts. Messages of exempt
    categories or senders are judged and left alone. `moderation` and `links` say what is done about the flags
    of these names, `annotate` where they say nothing.
    """

    promotional: Treatment = Treatment.PROMOTIONAL
    promotional_threshold: float = 0.8
    spam: Treatment = Treatment.HOLD
    spam_threshold: float = 0.95
    urgent_threshold: float = 0.99
    exempt_categories: frozenset[str] = frozenset()
    exempt_senders: frozenset[str] = frozenset()
    moderation: Mapping[str, Treatment] = {}
    links: Mapping[str, Treatment] = {}
    hold_ms: int = 72 * 3_600_000

    def exempts(self, category: str | None, sender: str | None) -> bool:
        """Whether nothing is done about such a message. `sender` is compared without regard to case."""
        return category in self.exempt_categories or (sender or "").casefold() in self.exempt_senders


class Suspect(msgspec.Struct, frozen=True):
    """A class that a text is taken for, and from which probability on something follows."""

    label: Label
    threshold: float
    treatment: Treatment


def suspected(policy: Policy, verdict: Verdict, *, declared_promotional: bool) -> Suspect | None:
    """What the verdict gives cause for, if nothing urgent speaks against it. Most verdicts give none; those that
    rest on no word at all never do.
    """
    if not verdict.grams:
        return None
    if verdict.label is Label.SPAM and verdict.probability >= policy.spam_threshold:
        return Suspect(Label.SPAM, policy.spam_threshold, policy.spam)
    if declared_promotional or verdict.label is not Label.PROMOTIONAL:
        return None
    if verdict.probability < policy.promotional_threshold:
        return None
    return Suspect(Label.PROMOTIONAL, policy.promotional_threshold, policy.promotional)


def content_flag(policy: Policy, suspect: Suspect, verdict: Verdict, kind: Kind, words: tuple[str, ...]) -> Flag:
    """The flag of a suspected class. `kind` is what the text would be if it were transactional; `words` weighed most.

    Where that is urgent and the probability is not high enough for it, the flag is a note.
    """
    because = f" ({', '.join(words)})" if words else ""
    reason = f"reads as {suspect.label} with a probability of {verdict.probability:.3f}{because}"
    urgent = kind in URGENT_KINDS and verdict.probability_of(Label.TRANSACTIONAL) >= URGENT_SHARE_MIN
    if urgent and verdict.probability < policy.urgent_threshold:
        reason += f"; it may be {_a(kind)}, so nothing is done below {policy.urgent_threshold:g}"
        return Flag(CLASSIFIER, str(suspect.label), Treatment.ANNOTATE, reason)
    return Flag(CLASSIFIER, str(suspect.label), suspect.treatment, f"{reason}: {_DONE[suspect.treatment]}")


def moderation_flag(policy: Policy, category: str) -> Flag:
    """The flag of a category that the words of a text belong to."""
    treatment = policy.moderation.get(category, Treatment.ANNOTATE)
    return Flag(MODERATION, category, treatment, f"has words of the category {category}: {_DONE[treatment]}")


def link_flag(policy: Policy, suspicion: Suspicion, host: str) -> Flag:
    """The flag of a suspicious link."""
    treatment = policy.links.get(suspicion, Treatment.ANNOTATE)
    return Flag(LINKS, str(suspicion), treatment, f"{_LINK_REASONS[suspicion]} ({host[:80]}): {_DONE[treatment]}")


def is_uncertain(verdict: Verdict) -> bool:
    """Whether the verdict is worth little: the probability is low, or the model knew no word of the text, and how long
    it is says little in a language that the model has never seen.
    """
    return verdict.probability < LOW_CONFIDENCE or not verdict.grams


def disagrees(verdict: Verdict, *, declared_promotional: bool) -> bool:
    """Whether the verdict is another than what the sender declared. What is neither agrees with either."""
    return verdict.label is (Label.TRANSACTIONAL if declared_promotional else Label.PROMOTIONAL)


def _a(kind: Kind) -> str:
    return {"code": "a one-time code", "alert": "an alert"}.get(kind, kind)


_DONE = {
    Treatment.ANNOTATE: "noted",
    Treatment.PROMOTIONAL: "treated as promotional",
    Treatment.HOLD: "held for review",
    Treatment.BLOCK: "blocked",
}
_LINK_REASONS = {
    Suspicion.LOOKALIKE: "a link looks like another name",
    Suspicion.MIXED_SCRIPTS: "a link mixes scripts",
    Suspicion.PUNYCODE: "a link is written in punycode",
    Suspicion.SHORTENER: "a link is shortened, so that nobody sees where it leads",
    Suspicion.IP_ADDRESS: "a link leads to a bare address",
    Suspicion.CREDENTIALS: "a link has credentials before its host",
    Suspicion.IMITATION: "a link imitates the sender's own name",
}
