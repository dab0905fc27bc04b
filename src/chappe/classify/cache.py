"""Verdicts kept by fingerprint, and fingerprints by exact text, so that a message seen before costs a look-up.

A hit cannot differ from a fresh verdict: the fingerprint is all a model sees of a text, and a cache belongs to one
model.
"""

from __future__ import annotations

from chappe.classify.fingerprint import TEXT_CHARACTERS_MAX, fingerprint
from chappe.classify.model import Model, Verdict


class Cached:
    """A model and what it said. `entries_max` bounds each of the two tables.

    A full table is emptied by half, oldest first: cheaper than moving an entry at every hit, and as good for messages,
    which come in waves of the same text.
    """

    def __init__(self, model: Model, entries_max: int = 50_000) -> None:
        self.model = model
        self.hits = self.misses = 0
        self._entries_max = entries_max
        self._by_text: dict[str, Verdict] = {}
        self._by_print: dict[bytes, Verdict] = {}

    def judge(self, text: str) -> Verdict:
        """The verdict on a text."""
        verdict = self._by_text.get(text)
        if verdict is not None:
            self.hits += 1
            return verdict
        printed = fingerprint(text)
        verdict = self._by_print.get(printed)
        if verdict is None:
            self.misses += 1
            verdict = self.model.judge(printed)
            _make_room(self._by_print, self._entries_max)
            self._by_print[printed] = verdict
        else:
            self.hits += 1
        if len(text) <= TEXT_CHARACTERS_MAX:
            _make_room(self._by_text, self._entries_max)
            self._by_text[text] = verdict
        return verdict


def _make_room(table: dict[str, Verdict] | dict[bytes, Verdict], entries_max: int) -> None:
    if len(table) >= entries_max:
        for key in list(table)[: entries_max // 2]:
            del table[key]  # type: ignore[arg-type]
