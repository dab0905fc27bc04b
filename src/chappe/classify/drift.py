"""Signs that the model no longer fits what is sent: uncertain verdicts, and verdicts that senders disagree with.

Counters per sender since the start, for metrics. Bounded: senders beyond the first so many share one entry.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from chappe.classify.labels import Label
from chappe.classify.model import Verdict
from chappe.classify.policy import disagrees, is_uncertain
from chappe.model.classification import Treatment

SENDERS_MAX = 200
OTHERS = "(others)"
NOBODY = "(none)"


class SenderDrift(msgspec.Struct):
    """How many messages of a sender were judged, how many verdicts were uncertain, and how many were another than what
    the sender declared.
    """

    sender: str
    judged: int = 0
    uncertain: int = 0
    disagreeing: int = 0


class Drift:
    """Counts verdicts. Use from one thread."""

    def __init__(self) -> None:
        self.labels: Counter[Label] = Counter()
        self.treatments: Counter[Treatment] = Counter()
        self._senders: dict[str, SenderDrift] = {}

    def note(
        self,
        sender: str | None,
        verdict: Verdict,
        treatment: Treatment | None,
        *,
        declared_promotional: bool,
        of_model: Verdict | None = None,
    ) -> None:
        """Take in the verdict on one message. `of_model` is the model's own where a second opinion had its say too:
        whether the model is certain is told by that.
        """
        self.labels[verdict.label] += 1
        if treatment is not None:
            self.treatments[treatment] += 1
        entry = self._entry(sender or NOBODY)
        entry.judged += 1
        entry.uncertain += is_uncertain(of_model or verdict)
        entry.disagreeing += disagrees(verdict, declared_promotional=declared_promotional)

    def senders(self) -> list[SenderDrift]:
        """Every sender met, the most frequent first."""
        return sorted(self._senders.values(), key=lambda entry: -entry.judged)

    def _entry(self, sender: str) -> SenderDrift:
        entry = self._senders.get(sender)
        if entry is None:
            if len(self._senders) >= SENDERS_MAX:
                sender = OTHERS
            entry = self._senders.setdefault(sender, SenderDrift(sender))
        return entry
