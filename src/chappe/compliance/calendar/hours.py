"""Opening hours on local clocks, worked out as spans of universal time.

A span list (`Spans`) is a flat tuple `open, close, open, close, ...` of moments in ms, ascending, each span
closed at its start and open at its end. Within it one binary search answers whether a moment is lawful and
when the next one is.

A clock change needs no case of its own: a zone is cut into pieces of constant offset from universal time, and
inside a piece local time is universal time shifted. An hour that the clock skips simply has no moments; one
that it repeats has them twice, and both count.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from chappe.compliance.calendar.public_holidays import Holidays

MINUTE_MS = 60_000
DAY_MS = 86_400_000
_OFFSET_PROBE_MS = 6 * 3_600_000
"""No zone has ever gone from one offset to another and back within this time."""
_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""

Spans = tuple[int, ...]
Window = tuple[int, int]
"""Minutes of the local day, end exclusive; 1440 is midnight at its end."""


class AgreedWindow(msgspec.Struct, frozen=True):
    """A window that somebody agreed to, on these weekdays (Monday is 0) and, with `on_holidays`, on days that are
    closed as holidays. Without weekdays it is for the days that are open anyway.
    """

    window: Window
    weekdays: tuple[int, ...] = ()
    on_holidays: bool = False


class WeeklyHours(msgspec.Struct, frozen=True):
    """The open windows of each weekday (Monday first); with `banned_holidays`, none of them on `holidays`.

    The day before a holiday has those of `on_eves` instead, if it has any. What is in `agreed` is open besides, but
    never later than `outer_limit`, in minutes of the day.
    """

    days: tuple[tuple[Window, ...], ...]
    holidays: Holidays | None = None
    banned_holidays: bool = True
    on_eves: tuple[Window, ...] = ()
    agreed: tuple[AgreedWindow, ...] = ()
    outer_limit: int = 1_440

    def windows(self, day: int) -> tuple[Window, ...]:
        """The windows of one local day, counted from 1970-01-01, ascending."""
        windows = self.days[weekday(day)]
        closed = False
        if self.holidays is not None and (windows or self.agreed):
            closed = self.banned_holidays and self.holidays.has(day)
            if closed:
                windows = ()
            elif windows and self.on_eves and self.holidays.has(day + 1):
                windows = self.on_eves
        return self._with_agreed(windows, weekday(day), closed) if self.agreed else windows

    def _with_agreed(self, windows: tuple[Window, ...], on: int, closed: bool) -> tuple[Window, ...]:
        added = {
            (opens, min(closes, self.outer_limit))
            for (opens, closes), weekdays, on_holidays in map(msgspec.structs.astuple, self.agreed)
            if (on_holidays if closed else on in weekdays if weekdays else bool(windows))
        }
        return tuple(sorted({*windows, *(window for window in added if window[0] < window[1])}))


def weekday(day: int) -> int:
    """Of a day counted from 1970-01-01; Monday is 0."""
    return (day + _EPOCH_WEEKDAY) % 7


def is_open(spans: Spans, moment_ms: int) -> bool:
    """Whether the moment lies in one of the spans."""
    return bisect_right(spans, moment_ms) & 1 == 1


def next_open(spans: Spans, moment_ms: int) -> int | None:
    """The first moment in a span at or after this one, or None if the list ends before."""
    index = bisect_right(spans, moment_ms)
    if index & 1:
        return moment_ms
    return spans[index] if index < len(spans) else None


def intersection(lists: Iterable[Spans]) -> Spans:
    """The moments that lie in every list; there must be at least one."""
    first, *rest = lists
    for other in rest:
        first = _intersection_of_two(first, other)
    return first


def _intersection_of_two(left: Spans, right: Spans) -> Spans:
    out: list[int] = []
    i = j = 0
    while i < len(left) and j < len(right):
        opens, closes = max(left[i], right[j]), min(left[i + 1], right[j + 1])
        if opens < closes:
            out += (opens, closes)
        if left[i + 1] <= right[j + 1]:
            i += 2
        else:
            j += 2
    return tuple(out)


def outside(span_start_ms: int, span_end_ms: int, start_ms: int, end_ms: int) -> Spans:
    """What of `start_ms..end_ms` lies outside one span."""
    before = (start_ms, min(span_start_ms, end_ms)) if span_start_ms > start_ms else ()
    after = (max(span_end_ms, start_ms), end_ms) if span_end_ms < end_ms else ()
    return before + after


def union(left: Spans, right: Spans) -> Spans:
    """The moments that lie in either list."""
    pairs = sorted([*_pairs(left), *_pairs(right)])
    return _merged(pairs)


def open_spans(hours: WeeklyHours, zones: tuple[str, ...], start_ms: int, end_ms: int) -> Spans:
    """When `hours` are open on the clocks of all `zones` (at least one) at once, between two moments."""
    clocks = {offset_pieces(zone, start_ms, end_ms) for zone in zones}
    return intersection(_open_on_clock(hours, clock) for clock in clocks)


Piece = tuple[int, int, int]
"""Start and end of a stretch of universal time, and the offset of local time in it; all in ms."""


@lru_cache(maxsize=4_096)
def offset_pieces(zone: str, start_ms: int, end_ms: int) -> tuple[Piece, ...]:
    """The stretches of constant offset of a zone between two moments. Raises `ZoneInfoNotFoundError`."""
    info = ZoneInfo(zone)
    pieces: list[Piece] = []
    piece_start, offset = start_ms, _offset_ms(info, start_ms)
    last_probe = start_ms
    for probe in (*range(start_ms + _OFFSET_PROBE_MS, end_ms, _OFFSET_PROBE_MS), end_ms):
        probed = _offset_ms(info, probe)
        if probed != offset:
            change = _offset_change_ms(info, last_probe, probe)
            pieces.append((piece_start, change, offset))
            piece_start, offset = change, probed
        last_probe = probe
    if piece_start < end_ms:
        pieces.append((piece_start, end_ms, offset))
    return tuple(pieces)


def _offset_ms(zone: ZoneInfo, moment_ms: int) -> int:
    offset = datetime.datetime.fromtimestamp(moment_ms // 1000, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * 1000


def _offset_change_ms(zone: ZoneInfo, low_ms: int, high_ms: int) -> int:
    """The second at which the offset becomes that of `high_ms`, given that it differs at `low_ms`."""
    after = _offset_ms(zone, high_ms)
    while high_ms - low_ms > 1000:
        middle = (low_ms + high_ms) // 2000 * 1000
        if _offset_ms(zone, middle) == after:
            high_ms = middle
        else:
            low_ms = middle
    return high_ms


def _open_on_clock(hours: WeeklyHours, clock: tuple[Piece, ...]) -> Spans:
    return _merged(span for piece in clock for span in _open_in_piece(hours, piece))


def _open_in_piece(hours: WeeklyHours, piece: Piece) -> Iterator[tuple[int, int]]:
    start, end, offset = piece
    for day in range((start + offset) // DAY_MS, (end - 1 + offset) // DAY_MS + 1):
        midnight = day * DAY_MS - offset
        for opens, closes in hours.windows(day):
            opening = max(midnight + opens * MINUTE_MS, start)
            closing = min(midnight + closes * MINUTE_MS, end)
            if opening < closing:
                yield opening, closing


def _pairs(spans: Spans) -> Iterator[tuple[int, int]]:
    return zip(spans[::2], spans[1::2], strict=True)


def _merged(pairs: Iterable[tuple[int, int]]) -> Spans:
    """One list out of ascending pairs, with those that touch or overlap joined."""
    out: list[int] = []
    for opens, closes in pairs:
        if out and opens <= out[-1]:
            out[-1] = max(out[-1], closes)
        else:
            out += (opens, closes)
    return tuple(out)
