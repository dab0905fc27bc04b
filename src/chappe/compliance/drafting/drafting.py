"""From a text to proposed rules: cut into passages, each read by the small grammars, the findings put together.

Deterministic: the same text gives the same draft. Every passage that sounds like a rule ends as part of a proposal, as
not understood, or as set aside with the reason.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chappe.compliance.drafting.assembly import Naming, build, propose
from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.english import check_english
from chappe.compliance.drafting.exceptions import (
    CLAUSE_WEIGHT,
    clause_doubts,
    is_exception,
    lifts_by_consent,
    targets,
)
from chappe.compliance.drafting.finding import Doubt, Finding, Remark
from chappe.compliance.drafting.modality import NoRule, is_weak, no_rule, rules
from chappe.compliance.drafting.passages import Passage, Shape, folded, passages
from chappe.compliance.drafting.proposal import Draft, Unread, quote
from chappe.compliance.drafting.readers import (
    caps,
    consent,
    contents,
    hours,
    labels,
    opting_out,
    people,
    records,
    senders,
)
from chappe.compliance.drafting.readers.hours import HOURS
from chappe.model.errors import InvalidInput

TEXT_CHARACTERS_MAX = 400_000
PASSAGE_CHARACTERS_MAX = 2_000
_TITLE_CHARACTERS_MAX = 120

Reader = Callable[[Passage, str, Context], list[Finding]]
_READERS: tuple[Reader, ...] = (
    hours.read,
    caps.read,
    consent.read,
    opting_out.read,
    labels.read,
    senders.read,
    records.read,
    people.read,
    contents.read,
)
_FREEING = ("relationship", "soft_opt_in")


def draft(text: str, *, name: str | None = None, source: str | None = None, jurisdiction: str | None = None) -> Draft:
    """The rules that a text proposes. Pure.

    `name` is the title of the regulation (by default the first heading), `source` where the text is from (by default
    its name), `jurisdiction` where it binds, if the text does not say or says it badly. Raises `InvalidInput` for a
    text that is too long, empty or not in English.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise InvalidInput(f"the text has {len(text)} characters, and at most {TEXT_CHARACTERS_MAX} are read: split it")
    check_english(text)
    found = passages(text)
    name = name or _title(found)
    return _Drafting(Context(found, jurisdiction), Naming(name, source or name)).draft()


class _Drafting:
    def __init__(self, context: Context, naming: Naming) -> None:
        self._context = context
        self._naming = naming
        self._findings: list[Finding] = []
        self._not_understood: list[Remark] = []
        self._set_aside: list[Remark] = []

    def draft(self) -> Draft:
        for passage in self._context.passages:
            if passage.shape is not Shape.HEADING:
                self._read(passage)
        built, incomplete = build(self._findings)
        proposals, invalid = propose(built, self._naming)
        return Draft(
            source=self._naming.source,
            passages=len(self._context.passages),
            proposals=tuple(proposals),
            not_understood=_unread([*self._not_understood, *incomplete, *invalid]),
            set_aside=_unread(self._set_aside),
        )

    def _read(self, passage: Passage) -> None:
        words = self._context.words(passage)
        if len(words) > PASSAGE_CHARACTERS_MAX:
            self._not_understood.append(Remark(passage, "is too long to be read as one sentence"))
            return
        reason = no_rule(words)
        if reason is not None:
            freeing = self._freeing(passage, words) if reason is NoRule.FREEDOM else []
            self._findings += freeing
            if not freeing:
                self._set_aside.append(Remark(passage, reason.value))
            return
        if is_exception(words) and self._takes_back(passage, words):
            return
        found = [finding for reader in _READERS for finding in reader(passage, words, self._context)]
        if found:
            self._findings += [_doubted(finding, words) for finding in found]
        elif rules(words):
            self._remark(passage)

    def _freeing(self, passage: Passage, words: str) -> list[Finding]:
        """What frees some people from a consent is a part of the rule on consent."""
        found = consent.read(passage, words, self._context)
        return [finding for finding in found if any(key in finding.parameters for key in _FREEING)]

    def _takes_back(self, passage: Passage, words: str) -> bool:
        """Whether a passage is nothing but an exception; it lifts hours, or makes what it is about doubtful."""
        if self._freeing(passage, words):
            return False
        numbers = targets(passage, words, self._findings)
        lifting = lifts_by_consent(words)
        read = False
        for number in numbers:
            finding = self._findings[number]
            if lifting and finding.kind == HOURS:
                parameters = {**finding.parameters, "lifted_by": [{"consent": "express"}]}
                self._findings[number] = msgspec.structs.replace(finding, parameters=parameters)
                read = True
            else:
                doubt = Doubt(CLAUSE_WEIGHT, f"an exception to it was not read: {passage.text}")
                self._findings[number] = msgspec.structs.replace(finding, doubts=(*finding.doubts, doubt))
        if not read:
            self._not_understood.append(Remark(passage, "is an exception that cannot be written as a rule here"))
        return True

    def _remark(self, passage: Passage) -> None:
        if self._context.is_of_messages(passage):
            self._not_understood.append(Remark(passage, "sounds like a rule about messages, but was not understood"))
        else:
            self._set_aside.append(Remark(passage, "does not speak of messages"))


def _doubted(finding: Finding, words: str) -> Finding:
    doubts = [*finding.doubts, *clause_doubts(finding.kind, words)]
    if is_weak(words):
        doubts.append(Doubt(0.1, "it says what should be, not what must be"))
    return msgspec.structs.replace(finding, doubts=tuple(doubts))


def _unread(remarks: list[Remark]) -> tuple[Unread, ...]:
    ordered = sorted(remarks, key=lambda remark: remark.passage.start)
    return tuple(dict.fromkeys(Unread(quote(remark.passage), remark.reason) for remark in ordered))


def _title(found: list[Passage]) -> str:
    heading = next((passage for passage in found if passage.shape is Shape.HEADING), found[0] if found else None)
    title = folded(heading.text) if heading else "text"
    return title if len(title) <= _TITLE_CHARACTERS_MAX else title[:_TITLE_CHARACTERS_MAX].rsplit(" ", 1)[0]
