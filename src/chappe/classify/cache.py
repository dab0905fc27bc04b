"""Verdicts kept by fingerprint, by template and by exact text, so that a message seen before costs a look-up.

A hit cannot differ from a fresh verdict: the fingerprint is all a model sees of a text, and a cache belongs to one
model. So a template is known by what its last text left as a fingerprint, never by its id alone: whoever names the id
of a receipt and sends something else gets the verdict on that.
"""

from __future__ import annotations

from typing import TypeVar

from chappe.classify.fingerprint import TEXT_CHARACTERS_MAX, printed_words
from chappe.classify.model import Model, Verdict

_K = TypeVar("_K")
_V = TypeVar("_V")


class Cached:
    """A model and what it said. `entries_max` bounds each of the three tables.

    A full table is emptied by half, oldest first: cheaper than moving an entry at every hit, and as good for messages,
    which come in waves of the same text. A template keeps its verdict through a flood of other texts, because there are
    fewer templates than texts.
    """

    def __init__(self, model: Model, entries_max: int = 50_000) -> None:
        self.model = model
        self.hits = self.misses = 0
        self._entries_max = entries_max
        self._by_text: dict[str, Verdict] = {}
        self._by_print: dict[bytes, Verdict] = {}
        self._by_template: dict[str, tuple[bytes, Verdict]] = {}

    def judge(self, text: str, template: str | None = None) -> Verdict:
        """The verdict on a text, made from a template of this id."""
        verdict = self._by_text.get(text)
        if verdict is not None:
            self.hits += 1
            return verdict
        words = printed_words(text)
        printed = b" ".join(words)
        verdict = self._kept(printed, template)
        if verdict is None:
            self.misses += 1
            verdict = self.model.judge_words(words)
            self._keep(self._by_print, printed, verdict)
        else:
            self.hits += 1
        if template is not None:
            self._keep(self._by_template, template, (printed, verdict))
        if len(text) <= TEXT_CHARACTERS_MAX:
            self._keep(self._by_text, text, verdict)
        return verdict

    def _kept(self, printed: bytes, template: str | None) -> Verdict | None:
        verdict = self._by_print.get(printed)
        if verdict is not None or template is None:
            return verdict
        last = self._by_template.get(template)
        return last[1] if last is not None and last[0] == printed else None

    def _keep(self, table: dict[_K, _V], key: _K, value: _V) -> None:
        if len(table) >= self._entries_max and key not in table:
            for oldest in list(table)[: self._entries_max // 2 or 1]:
                del table[oldest]
        table[key] = value
