"""The model in use: swapped in one step, with another one beside it that is only listened to.

What judges is one reference, so a swap falls between two verdicts and never into one. A model in the shadow judges the
same texts; what it would have said is compared and counted, and decides nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from itertools import islice

import msgspec

from chappe.classify.cache import Cached
from chappe.classify.labels import Label
from chappe.classify.model import Model, Verdict

DISAGREEMENTS_KEPT = 200
CACHE_ENTRIES = 50_000
SHADOW_CACHE_ENTRIES = 20_000


class Disagreement(msgspec.Struct, frozen=True):
    """A message that the two models call different things. `message` is its id; its text stands in its record."""

    message: str
    at_ms: int
    label: Label
    probability: float
    shadow_label: Label
    shadow_probability: float


class ShadowCount(msgspec.Struct, frozen=True):
    """How often the model in use said one thing and the one in the shadow the other."""

    label: Label
    shadow_label: Label
    count: int


class Shadow:
    """A model beside the one in use, and how the two compare since it was put there. Bounded."""

    def __init__(self, model: Model) -> None:
        self.judge = Cached(model, SHADOW_CACHE_ENTRIES)
        self.compared = 0
        self._counts: Counter[tuple[Label, Label]] = Counter()
        self._last: deque[Disagreement] = deque(maxlen=DISAGREEMENTS_KEPT)

    @property
    def version(self) -> str:
        return self.judge.model.version

    @property
    def disagreed(self) -> int:
        """How many of the compared verdicts differ."""
        return sum(count for (label, shadow), count in self._counts.items() if label is not shadow)

    def counts(self) -> list[ShadowCount]:
        """Pairs of verdicts, the most frequent first."""
        return [ShadowCount(label, shadow, count) for (label, shadow), count in self._counts.most_common()]

    def disagreements(self, limit: int) -> list[Disagreement]:
        """The newest, newest first."""
        return list(islice(reversed(self._last), limit))

    def compare(self, text: str, template: str | None, verdict: Verdict, message: str, at_ms: int) -> None:
        """Judge the same text, and note what differs."""
        other = self.judge.judge(text, template)
        self.compared += 1
        self._counts[verdict.label, other.label] += 1
        if other.label is not verdict.label:
            self._last.append(
                Disagreement(message, at_ms, verdict.label, verdict.probability, other.label, other.probability)
            )


class Serving:
    """The model in use and the one in its shadow. Use from one thread."""

    def __init__(self, model: Model, cache_entries: int = CACHE_ENTRIES) -> None:
        self._cache_entries = cache_entries
        self._cached = Cached(model, cache_entries)
        self.shadow: Shadow | None = None

    @property
    def model(self) -> Model:
        """The one in use."""
        return self._cached.model

    @property
    def hits(self) -> int:
        """Verdicts of this model that were found in its cache."""
        return self._cached.hits

    @property
    def misses(self) -> int:
        """Those that were not."""
        return self._cached.misses

    def use(self, model: Model, shadow: Model | None = None) -> None:
        """From now on this model judges, and that one is compared with it. A pair that stays the same counts on."""
        changed = model.version != self.model.version
        if changed:
            self._cached = Cached(model, self._cache_entries)
        if shadow is None:
            self.shadow = None
        elif changed or self.shadow is None or self.shadow.version != shadow.version:
            self.shadow = Shadow(shadow)

    def judge(self, text: str, template: str | None = None) -> Verdict:
        """The verdict of the model in use."""
        return self._cached.judge(text, template)

    def compare(self, text: str, template: str | None, verdict: Verdict, message: str, at_ms: int) -> None:
        """Let the shadow, if there is one, judge what has been judged."""
        if self.shadow is not None:
            self.shadow.compare(text, template, verdict, message, at_ms)
