"""What a passage means by "they", "the message" and "that period": what it does not say itself it takes from the words
that introduce its list, from what stands before it, or from the heading above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from chappe.compliance.drafting.canonical import canonical
from chappe.compliance.drafting.finding import BOTH, Doubt, Scope
from chappe.compliance.drafting.modality import NoRule, no_rule
from chappe.compliance.drafting.passages import Passage, Shape
from chappe.compliance.drafting.places import is_ambiguous, places_in
from chappe.compliance.drafting.vocabulary import (
    begins_on,
    categories_in,
    channels_in,
    is_of_messages,
    purpose_in,
    terms_defined,
)

WORLD = "*"
T = TypeVar("T")
_LOOKS_BACK_PASSAGES = 60
_SAYS_NOTHING = (NoRule.DEFINITION, NoRule.PENALTY, NoRule.RECITAL, NoRule.REPORT)


class Context:
    """The passages of one text. `jurisdiction`, if it is given, is that of every rule."""

    def __init__(self, passages: Sequence[Passage], jurisdiction: str | None = None) -> None:
        self.passages = passages
        self.terms: dict[str, tuple[str, ...]] = {}
        for passage in passages:
            for text in (passage.text, passage.whole):
                self.terms |= terms_defined(text)
        self._given = jurisdiction
        self._places = places_in(" \n ".join(dict.fromkeys(p.text for p in passages)))
        self._begins = self._in_force(passages)
        self._number = {id(passage): number for number, passage in enumerate(passages)}

    def words(self, passage: Passage) -> str:
        """The canonical form of a passage with the words that introduce it."""
        return canonical(passage.whole)

    def before(self, passage: Passage) -> Passage | None:
        """The passage before it that is no heading."""
        number = self._number[id(passage)]
        for earlier in reversed(self.passages[max(0, number - _LOOKS_BACK_PASSAGES) : number]):
            if earlier.shape is not Shape.HEADING:
                return earlier
        return None

    def is_of_messages(self, passage: Passage) -> bool:
        """Whether a passage is about messages: by its own words, those that introduce it, or as a part of a list."""
        if is_of_messages(self.words(passage), self.terms):
            return True
        if passage.shape is Shape.SENTENCE:
            earlier = self.before(passage)
            begins = canonical(passage.text).split(" ")[0]
            refers = begins in ("they", "these", "it", "this", "such", "{other}", "on", "the", "no")
            return refers and earlier is not None and is_of_messages(canonical(earlier.whole), self.terms)
        return passage.shape is Shape.ENTRY or is_of_messages(canonical(passage.heading), self.terms)

    def channels_in(self, words: str) -> tuple[str, ...]:
        return channels_in(words, self.terms)

    def scope(self, passage: Passage, words: str | None = None) -> Scope:
        """What a passage binds. `words` are a part of it that may name channels of its own."""
        own = [words] if words else []
        sources = [*own, canonical(passage.words), canonical(passage.lead), *self._around(passage)]
        channels, far = _first(channels_in(text, self.terms) for text in sources)
        categories, _ = _first(categories_in(text) for text in sources)
        purpose, _ = _first(purpose_in(text, self.terms) for text in sources)
        doubts = []
        if not channels:
            doubts.append(Doubt(0.1, "it names no channel, so it is taken to bind all"))
        elif far > len(own) + 2:
            doubts.append(Doubt(0.05, "the channels were named further above"))
        if categories and purpose in (None, "promotional"):
            purpose = BOTH
        if purpose is None:
            doubts.append(
                Doubt(0.05, "it does not say whether it is about advertising, so it is taken to bind all messages")
            )
        place, of_place = self._jurisdiction(passage)
        return Scope(
            jurisdiction=place,
            channels=channels or ("any",),
            applies_to=purpose or BOTH,
            categories=categories or (),
            effective_from=begins_on(passage.text) or self._begins,
            doubts=(*doubts, *of_place),
        )

    def scope_of_sentence(self, passage: Passage, *, default: str = BOTH) -> Scope:
        """The same, with a purpose only if the passage itself, or an entry for it, names one."""
        found = self.scope(passage)
        own = purpose_in(self.words(passage), self.terms)
        entries = [p for p in self.passages if p.shape is Shape.ENTRY and "type" in p.key]
        of_entry, _ = _first(purpose_in(canonical(p.words), self.terms) for p in entries)
        doubts = tuple(doubt for doubt in found.doubts if "advertising" not in doubt.text)
        return Scope(
            found.jurisdiction,
            found.channels,
            own or of_entry or default,
            found.categories,
            found.effective_from,
            doubts,
        )

    def scope_of_data(self, passage: Passage) -> Scope:
        """Of a duty about personal data, which binds whatever is sent."""
        place, doubts = self._jurisdiction(passage)
        return Scope(place, ("any",), BOTH, (), begins_on(passage.text) or self._begins, doubts)

    def _around(self, passage: Passage) -> list[str]:
        """What a passage may take its meaning from, nearest first."""
        number = self._number[id(passage)]
        near = self.passages[max(0, number - _LOOKS_BACK_PASSAGES) : number]
        earlier = [p for p in reversed(near) if not _is_silent(p)]
        same = [canonical(p.whole) for p in earlier if p.heading == passage.heading and p.shape is not Shape.HEADING]
        others = [canonical(p.whole) for p in earlier if p.heading != passage.heading or p.shape is Shape.HEADING]
        return [*same, canonical(passage.heading), *others]

    def _jurisdiction(self, passage: Passage) -> tuple[str, tuple[Doubt, ...]]:
        if self._given is not None:
            return self._given, ()
        for text in (passage.text, passage.lead, passage.heading):
            named = places_in(text)
            if named:
                return named[0], _of_place(named)
        if self._places:
            return self._places[0], _of_place(self._places)
        return WORLD, (Doubt(0.1, "it names no jurisdiction: give one with --jurisdiction"),)

    def _in_force(self, passages: Iterable[Passage]) -> str | None:
        """The day on which the whole text says that it begins."""
        for passage in passages:
            words = passage.text.lower()
            if any(
                phrase in words
                for phrase in ("into force", "takes effect", "take effect", "effective date", "effective:")
            ):
                found = begins_on(passage.text)
                if found:
                    return found
        return None


def _of_place(named: tuple[str, ...]) -> tuple[Doubt, ...]:
    doubts = []
    if len(named) > 1:
        doubts.append(Doubt(0.1, f"several jurisdictions are named ({', '.join(named)}), and the first is taken"))
    if is_ambiguous(named[0]):
        doubts.append(Doubt(0.05, f"the name of {named[0]} is also that of another place"))
    return tuple(doubts)


def _is_silent(passage: Passage) -> bool:
    return no_rule(canonical(passage.whole)) in _SAYS_NOTHING


def _first(found: Iterable[T]) -> tuple[T | None, int]:
    """The first that is not empty, and its place."""
    for number, value in enumerate(found):
        if value:
            return value, number
    return None, -1
