"""The form in which a passage is read: small letters, plain punctuation, one notation for numbers, times and days."""

from __future__ import annotations

import re
from functools import lru_cache

from chappe.compliance.drafting.clock import with_times
from chappe.compliance.drafting.numerals import with_digits
from chappe.compliance.drafting.weekdays import spelt_out, with_days

_PLAIN = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | dict.fromkeys("\u2018\u2019", "'")
    | dict.fromkeys("\u2010\u2011\u2013\u2014", "-")
    | {"\u00a0": " "}
)
_SPACES = re.compile(r"\s+")
_RAW_ONLY = re.compile(r"[<>{}]")


def plain(text: str) -> str:
    """The text as it is, with straight quotes, short dashes and single spaces."""
    return _SPACES.sub(" ", text.translate(_PLAIN)).strip()


@lru_cache(maxsize=4_096)
def canonical(text: str) -> str:
    """The form that is read. Times look like `<08:00>`, days like `{sat sun}`."""
    text = _RAW_ONLY.sub(" ", spelt_out(plain(text))).lower()
    return with_days(with_times(with_digits(text)))
