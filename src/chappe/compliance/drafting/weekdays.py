"""Days, in whatever way they are named, as `{mon tue}`: ranges, weekends, working days, public holidays.

Works on text in small letters (`spelt_out` before that). Days that are named together become one mark. `{other}` are
those that the text has not named.
"""

from __future__ import annotations

import re

from chappe.compliance.calendar.local_time import WEEKDAYS

DAYS = r"\{([a-z_ ]+)\}"
OTHER = "other"
ALL = tuple(day.value for day in WEEKDAYS)

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = re.compile(r"\b(Mon|Tues?|Wed|Thur?s?|Fri|Sat|Sun)\b(?!day)\.?")
_NAME = rf"(?:{'|'.join(_NAMES)})"
_RANGE = re.compile(rf"\b({_NAME})s?(?:,? (?:up )?(?:to|through|until)| ?-) ?({_NAME})s?(?: inclusive)?\b")
_SINGLE = re.compile(rf"\b({_NAME})s?\b")
_GROUPS = (
    (re.compile(r"\b(?:all|any|every|the)? ?other days?\b(?: of the week)?"), OTHER),
    (
        re.compile(
            r"\b(?:public|bank|national|statutory|legal|federal|state)(?: (?:or|and) (?:public|bank|legal"
            r"|state))? holidays?\b"
        ),
        "holiday",
    ),
    (re.compile(r"(?<!\{)\bholidays?\b"), "holiday"),
    (re.compile(r"\bweekends?\b"), "sat sun"),
    (re.compile(r"(?<!\d )(?<!per )\b(?:weekdays?|working days?|business days?)\b"), "mon tue wed thu fri"),
    (re.compile(r"\b(?:every|each|any|all) days?\b(?: of the week)?|\b7 days a week\b"), " ".join(ALL)),
)
_JOINED = re.compile(
    r"\{([a-z_ ]+)\}(?:\s*,)?\s*(?:and|or|nor|,|&)?\s*(?:on |during )?(?:an? |any |the )?\{([a-z_ ]+)\}"
)
_ORDER = (*ALL, "holiday", OTHER)


def spelt_out(text: str) -> str:
    """The text with `Mon` written as `Monday`, which only its capital tells from other words."""
    return _SHORT.sub(lambda found: next(n for n in _NAMES if n.startswith(found[1].lower()[:3])).capitalize(), text)


def with_days(text: str) -> str:
    """The text with its days marked."""
    text = _RANGE.sub(lambda found: "{" + " ".join(_between(found[1], found[2])) + "}", text)
    text = _SINGLE.sub(lambda found: "{" + found[1][:3] + "}", text)
    for pattern, days in _GROUPS:
        text = pattern.sub("{" + days + "}", text)
    joined = ""
    while joined != text:
        joined, text = text, _JOINED.sub(lambda found: "{" + _union(found[1], found[2]) + "}", text, count=1)
    return text


def days_of(mark: str) -> tuple[str, ...]:
    """The days of a mark, without its braces, in the order of the week."""
    return tuple(day for day in _ORDER if day in mark.split())


def _union(first: str, second: str) -> str:
    return " ".join(days_of(f"{first} {second}"))


def _between(first: str, last: str) -> tuple[str, ...]:
    start, end = _NAMES.index(first), _NAMES.index(last)
    return tuple(ALL[number % 7] for number in range(start, end + 1 if end >= start else end + 8))
