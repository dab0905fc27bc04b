"""From what several passages say of hours and days to one week: when is it open, and which days are closed.

A day that some passage opens is open in those hours. Where another passage opens hours on other days only, a day that
nobody opens is closed, unless hours are forbidden on it: then it is open around those. What is forbidden is taken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chappe.compliance.drafting.clock import written
from chappe.compliance.drafting.weekdays import ALL, OTHER

Span = tuple[int, int]
"""Minutes of the day, end exclusive."""
WHOLE: tuple[Span, ...] = ((0, 1_440),)


class Statement(msgspec.Struct, frozen=True):
    """That messages may, or may not, be sent on `days` (none named: on each) within `spans`."""

    opens: bool
    days: tuple[str, ...]
    spans: tuple[Span, ...]


def parameters_of(statements: Sequence[Statement]) -> tuple[str, dict[str, Any]]:
    """The kind of rule and its parameters. Raises `ValueError` if nothing would be left open."""
    named = {day for statement in statements for day in statement.days if day != OTHER}
    week = {day: _open_on(day, statements, named) for day in ALL}
    banned = [day for day in (*ALL, "holiday") if _is_banned(day, statements)]
    if not any(week.values()):
        raise ValueError("nothing would be left open")
    spans = {spans for spans in week.values() if spans}
    closed = [day for day in ALL if not week[day]]
    holidays = ["holiday"] if "holiday" in banned else []
    if spans == {WHOLE}:
        return "day_ban", {"days": closed + holidays}
    if len(spans) == 1 and len(next(iter(spans))) == 1:
        ((start, end),) = next(iter(spans))
        found: dict[str, Any] = {"start": written(start), "end": written(end)}
    else:
        found = {"windows": _windows(week)}
    if closed + holidays:
        found["banned_days"] = closed + holidays
    return "quiet_hours", found


def complement(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The rest of the day."""
    return subtract(WHOLE, spans)


def within_day(start: int, end: int) -> tuple[Span, ...]:
    """A window as spans of one day; two of them if it goes over midnight."""
    if end in (0, 1_440):
        return ((start, 1_440),)
    return ((start, end),) if start < end else ((0, end), (start, 1_440))


def subtract(spans: Sequence[Span], taken: Sequence[Span]) -> tuple[Span, ...]:
    """What is left of spans."""
    left = list(spans)
    for start, end in taken:
        left = [
            piece
            for first, last in left
            for piece in ((first, min(last, start)), (max(first, end), last))
            if piece[0] < piece[1]
        ]
    return tuple(sorted(left))


def _open_on(day: str, statements: Sequence[Statement], named: set[str]) -> tuple[Span, ...]:
    opening = [statement for statement in statements if statement.opens]
    mine = [s for s in opening if _is_about(day, s, named)]
    closing = [s for s in statements if not s.opens and _is_about(day, s, named)]
    if mine:
        spans: tuple[Span, ...] = tuple(sorted({span for s in mine for span in s.spans}))
    elif opening and not any(s.spans != WHOLE and s.days for s in closing):
        return ()
    else:
        spans = WHOLE
    for statement in closing:
        spans = subtract(spans, statement.spans)
    return spans


def _is_about(day: str, statement: Statement, named: set[str]) -> bool:
    if not statement.days:
        return True
    return day in statement.days or (OTHER in statement.days and day not in named)


def _is_banned(day: str, statements: Sequence[Statement]) -> bool:
    return any(not s.opens and day in s.days and s.spans == WHOLE for s in statements)


def _windows(week: dict[str, tuple[Span, ...]]) -> list[dict[str, Any]]:
    days: dict[Span, list[str]] = {}
    for day in ALL:
        for span in week[day]:
            days.setdefault(span, []).append(day)
    return [
        {"start": written(start), "end": written(end)} | ({} if on == list(ALL) else {"days": on})
        for (start, end), on in days.items()
    ]
