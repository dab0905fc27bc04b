"""Times of day, in whatever way they are written, as `<HH:MM>`: `9 p.m.`, `2100 hours`, `half past 8 in the evening`.

Works on text in small letters with its numbers in digits. Midnight is `<00:00>`; whoever reads the end of a window
takes it for 24:00. Of `9 to 5 p.m.` the first is a time as well.
"""

from __future__ import annotations

import re

TIME = r"<(\d\d:\d\d)>"

_MERIDIEM = re.compile(r"\b(\d{1,2})(?:[:.](\d{2}))?\s*([ap])(?:\.\s?m\.?|m\b)\.?(?:\s*\((?:noon|midnight)\))?")
_SPOKEN = re.compile(
    r"\b(half past )?(\d{1,2})(?: o'?clock)?(?:[ :.](\d{2}))?(?: o'?clock)? (?:in the (morning|afternoon"
    r"|evening)|at (night))\b"
)
_OCLOCK = re.compile(r"\b(\d{1,2}) o'?clock\b")
_COLON = re.compile(r"(?<![\d:<])([01]?\d|2[0-4]):([0-5]\d)(?![\d:>])(?:\s*(?:hours|hrs|h)\b)?")
_MILITARY = re.compile(r"\b([01]\d|2[0-4])([0-5]\d)\s?(?:hours|hrs|h)\b")
_HOURS_H = re.compile(r"\b([01]?\d|2[0-4])h([0-5]\d)\b")
_SPAN_H = re.compile(r"\b([01]?\d|2[0-4])h(\s*(?:-|to|and|until)\s*)([01]?\d|2[0-4])h\b")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.([0-5]\d)\s*(-|to|and|until|till)\s*(\d{1,2})\.([0-5]\d)(?![\d.])")
_BARE = re.compile(r"\b([01]?\d|2[0-4])(?:\s*(?:h|hrs|hours))?(\s*(?:-|to|and|until|till)\s*)<(\d\d):(\d\d)>")
_BARE_LEAD = re.compile(r"(?:between|from|hours of|before|[:{}])\s*(?:the hours of\s*)?$")
_WORDS = ((r"\b(?:12 (?:o'?clock )?)?(?:noon|midday)\b", "<12:00>"), (r"\b(?:12 (?:o'?clock )?)?midnight\b", "<00:00>"))


def with_times(text: str) -> str:
    """The text with its times of day marked."""
    for pattern, time in _WORDS:
        text = re.sub(pattern, time, text)
    text = _MERIDIEM.sub(_of_meridiem, text)
    text = _SPOKEN.sub(_of_spoken, text)
    text = _DOTTED.sub(_of_dotted, text)
    text = _MILITARY.sub(lambda found: _marked(int(found[1]), int(found[2]), found[0]), text)
    text = _COLON.sub(lambda found: _marked(int(found[1]), int(found[2]), found[0]), text)
    text = _HOURS_H.sub(lambda found: _marked(int(found[1]), int(found[2]), found[0]), text)
    text = _SPAN_H.sub(lambda found: f"{_marked(int(found[1]), 0, '')}{found[2]}{_marked(int(found[3]), 0, '')}", text)
    text = _OCLOCK.sub(lambda found: _marked(int(found[1]), 0, found[0]), text)
    return _BARE.sub(_of_bare, text)


def minutes(time: str) -> int:
    """Since midnight."""
    hours, _, rest = time.partition(":")
    return int(hours) * 60 + int(rest)


def written(minute: int) -> str:
    """`HH:MM`, as rule files have it."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _marked(hour: int, minute: int, unchanged: str) -> str:
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return unchanged
    return f"<{hour:02}:{minute:02}>"


def _of_meridiem(found: re.Match[str]) -> str:
    hour = int(found[1])
    if not 1 <= hour <= 12:
        return found[0]
    return _marked(hour % 12 + (12 if found[3] == "p" else 0), int(found[2] or 0), found[0])


def _of_spoken(found: re.Match[str]) -> str:
    hour, minute = int(found[2]), 30 if found[1] else int(found[3] or 0)
    if not 1 <= hour <= 12:
        return _marked(hour, minute, found[0])
    later = found[4] in ("afternoon", "evening") or (found[5] == "night" and hour >= 6)
    return _marked(hour % 12 + (12 if later else 0), minute, found[0])


def _of_dotted(found: re.Match[str]) -> str:
    first = _marked(int(found[1]), int(found[2]), "")
    last = _marked(int(found[4]), int(found[5]), "")
    return f"{first} {found[3]} {last}" if first and last else found[0]


def _of_bare(found: re.Match[str]) -> str:
    """`9 to <17:00>`: the same half of the day if that is earlier, else the morning."""
    if not _BARE_LEAD.search(found.string[: found.start()]) and found.start():
        return found[0]
    hour, last = int(found[1]), int(found[3]) * 60 + int(found[4])
    if 1 <= hour < 12 and last > 12 * 60 and (hour + 12) * 60 < last and hour < 6:
        hour += 12
    first = _marked(hour, 0, "")
    return f"{first}{found[2]}<{found[3]}:{found[4]}>" if first else found[0]
