"""Hours and days: `not before 8 a.m. or after 9 p.m.`, `only between 10 and 18:00 on weekdays`, `no calls on Sundays`.

A statement is kept with its passage; `assembly` puts all of one scope together into one week.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from chappe.compliance.drafting.clock import TIME, minutes
from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.finding import Doubt, Finding, Scope
from chappe.compliance.drafting.modality import Sense, sense_at
from chappe.compliance.drafting.passages import Passage, Shape
from chappe.compliance.drafting.week import WHOLE, Span, Statement, complement, within_day
from chappe.compliance.drafting.weekdays import ALL, DAYS, OTHER, days_of
from chappe.compliance.places.jurisdictions import zones_of

HOURS = "hours"
"""The kind of a finding that becomes quiet_hours or day_ban once all of them are known."""

_JOIN = r"\s*,?\s*(?:and|or|nor)\s*(?:from )?"
_OUTSIDE = re.compile(rf"(?:before|earlier than|prior to) {TIME}{_JOIN}(?:after|later than|past) {TIME}")
_OUTSIDE_TURNED = re.compile(rf"(?:after|later than|past) {TIME}{_JOIN}(?:before|earlier than|prior to) {TIME}")
_SPAN = re.compile(
    rf"{TIME}\s*(?:and|to|until|till|-|through|up to)\s*(?:before )?{TIME}(?: (?:of |on "
    rf"|in )?the (?:following|next) (?:day|morning))?"
)
_EDGE = re.compile(rf"(?P<word>before|earlier than|prior to|until|after|later than|past|from) {TIME}")
_DAYS = re.compile(DAYS)
_EXCEPT = re.compile(
    r"\b(?:except|excluding|other than|but not|save|no|not)(?: on| for| during| made on)?(?: an? | the )? ?$"
)
_BANNED_CELL = re.compile(r"\b(?:none|closed|not permitted|not allowed|prohibited|no calls|no messages|forbidden)\b")
_HOURS_KEY = re.compile(r"\b(?:hours?|times?|windows?|between)\b")
_DAYS_KEY = re.compile(r"\bdays?\b")
_ANSWERING = re.compile(
    r"\b(?:respond|answer\w*|repl(?:y|ies)|office|open to|appl(?:y|ication)s? must be filed|deadline|help ?desk)\b"
)
_CONSENT = re.compile(
    r"\b(?:unless|without|except with|obtain)\b.{0,80}\b(?:consent\w*|agree\w*|opt(?:ed)?[- ]?in"
    r"|request\w*)\b(?P<rest>.{0,40})"
)
_OTHER_HOURS = re.compile(r"\b(?:other|different|another|such) (?:hours?|times?)\b")
_FOLLOWING = re.compile(
    r"(?:,? (?:local time|on|of|during|each|every|in|at|the|any|a|(?!(?:or|nor|and"
    r"|but)\b)[a-z' ]{0,40}? on))*,?:? ?(?:an? |the |any )?" + DAYS
)
_BESIDES = re.compile(r"\b(?:or|nor|and|as well as)(?: at any time)?,? on (?:an? |the |any )?$")
_ZONE_NAMED = re.compile(r"\b(?:[A-Z]\w+ Standard Time|[A-Z][a-z]+ time|[IGM]ST)\b")
_OF_RECIPIENT = re.compile(
    r"\b(?:local time|time zone|recipient'?s|called (?:person|party)|consumer'?s|subscriber'?s)\b"
)


class _Window(msgspec.Struct, frozen=True):
    """A mention of hours: open inside, if `inside`; else the hours named are those outside which it is open."""

    start: int
    end: int
    spans: tuple[Span, ...]
    inside: bool


def read(passage: Passage, words: str, context: Context) -> list[Finding]:
    if _ANSWERING.search(words) or not context.is_of_messages(passage):
        return []
    windows = list(_windows(words))
    found = []
    for number, window in enumerate(windows):
        statement = _statement(passage, words, windows, number)
        if statement is not None:
            part = words[windows[number - 1].end if number else 0 : window.start]
            found.append(_finding(passage, words, statement, context, part if len(windows) > 1 else None))
    if found or not windows:
        found += [
            _finding(passage, words, statement, context, None) for statement in _days_alone(passage, words, windows)
        ]
    return found


def _windows(words: str) -> Iterator[_Window]:
    taken: list[tuple[int, int]] = []
    for pattern in (_OUTSIDE, _OUTSIDE_TURNED, _SPAN, _EDGE):
        for match in pattern.finditer(words):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                taken.append(match.span())
    for start, end in sorted(taken):
        for pattern in (_OUTSIDE, _OUTSIDE_TURNED, _SPAN, _EDGE):
            found = pattern.match(words, start)
            if found is not None and found.end() == end:
                yield _window(found, pattern)
                break


def _window(match: re.Match[str], pattern: re.Pattern[str]) -> _Window:
    if pattern is _EDGE:
        at = minutes(match[2])
        early = match["word"] in ("before", "earlier than", "prior to", "until")
        spans: tuple[Span, ...] = ((0, at or 1_440),) if early else ((at, 1_440),)
        return _Window(*match.span(), spans, inside=True)
    first, last = minutes(match[1]), minutes(match[2])
    if pattern is _OUTSIDE:
        return _Window(*match.span(), complement(within_day(first, last)), inside=True)
    if pattern is _OUTSIDE_TURNED:
        return _Window(*match.span(), complement(within_day(last, first)), inside=True)
    return _Window(*match.span(), within_day(first, last), inside=True)


def _statement(passage: Passage, words: str, windows: list[_Window], number: int) -> Statement | None:
    window = windows[number]
    sense = sense_at(words, window.start)
    if sense is None and (passage.shape is not Shape.SENTENCE):
        key = passage.key or passage.lead.lower() or passage.heading.lower()
        sense = sense_at(key, len(key)) or (Sense.ALLOWS if _HOURS_KEY.search(key) else None)
    if sense is None or window.spans == ():
        return None
    days = _days_of_window(words, windows, number)
    return Statement(sense is Sense.ALLOWS, days, window.spans)


def _days_of_window(words: str, windows: list[_Window], number: int) -> tuple[str, ...]:
    """The days named next to a window: behind it if they follow at once, else before it."""
    window = windows[number]
    stop = windows[number + 1].start if number + 1 < len(windows) else len(words)
    behind = words[window.end : stop]
    close = _FOLLOWING.match(behind)
    if close is not None:
        return _excluding(behind, close.end(), days_of(close[1]))
    start = windows[number - 1].end if number else 0
    before = words[start : window.start]
    marks = [
        mark
        for mark in _DAYS.finditer(before)
        if not _EXCEPT.search(before[: mark.start()]) and not (number and _BESIDES.search(before[: mark.start()]))
    ]
    if marks:
        return days_of(marks[-1][1])
    if (
        number
        and len(before) <= len(" and between the hours of ")
        and re.fullmatch(r"\s*,?(?: and| or)?(?: from| between| before| after)?\s*", before)
    ):
        return _days_of_window(words, windows, number - 1)
    return ()


def _excluding(text: str, end: int, days: tuple[str, ...]) -> tuple[str, ...]:
    excluded = re.match(r",? (?:except|excluding|other than|but not|save)(?: on)?(?: an?| the)? " + DAYS, text[end:])
    out = days_of(excluded[1]) if excluded else ()
    return tuple(day for day in days if day not in out)


def _days_alone(passage: Passage, words: str, windows: list[_Window]) -> Iterator[Statement]:
    """Days on which nothing is sent, or the only ones on which something is."""
    for mark in _DAYS.finditer(words):
        days = days_of(mark[1])
        if days == ALL or OTHER in days:
            continue
        if _EXCEPT.search(words[: mark.start()]) and not re.search(
            r"(?:may|must|shall|should|is|are) not on ?$", words[: mark.start()]
        ):
            yield Statement(False, days, WHOLE)
            continue
        if passage.shape is Shape.ROW and _BANNED_CELL.search(words):
            yield Statement(False, days, WHOLE)
            continue
        if passage.shape is Shape.ENTRY and _DAYS_KEY.search(passage.key):
            yield Statement(True, tuple(d for d in days if d in ALL), ())
            continue
        if windows and not _BESIDES.search(words[: mark.start()]):
            continue
        if sense_at(words, mark.start()) is Sense.FORBIDS:
            yield Statement(False, days, WHOLE)


def _finding(passage: Passage, words: str, statement: Statement, context: Context, part: str | None) -> Finding:
    named = part if part and context.channels_in(part) else None
    scope: Scope = context.scope(passage, named)
    parameters: dict[str, object] = {"statement": statement}
    doubts = []
    lifted = _CONSENT.search(words)
    if lifted is not None:
        if lifted.group().startswith("obtain"):
            doubts.append(Doubt(0.1, "a consent would lift it; which one is left to whoever accepts it (lifted_by)"))
        else:
            naming = bool(_OTHER_HOURS.search(lifted["rest"]))
            parameters["lifted_by"] = [{"consent": "express"} | ({"naming_hours": True} if naming else {})]
    zones = zones_of(None if scope.jurisdiction == "*" else scope.jurisdiction)
    if _ZONE_NAMED.search(passage.text) and not _OF_RECIPIENT.search(words):
        if len(zones) == 1:
            parameters["tz"] = zones[0]
        else:
            doubts.append(
                Doubt(0.15, "it names a clock that is not the recipient's, which is left to whoever accepts it (tz)")
            )
    return Finding(
        kind=HOURS, parameters=parameters, passage=passage, scope=scope, action="defer", doubts=tuple(doubts)
    )
