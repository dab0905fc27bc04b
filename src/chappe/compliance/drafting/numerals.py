"""Numbers in words as numbers in digits: `twenty-four` is 24, `two (2)` is 2, `once` is 1 time, `5,000` is 5000.

Only whole numbers below a thousand are written out in the rules that are read here.
"""

from __future__ import annotations

import re

_UNITS_LISTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS_LISTED = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = _UNITS_LISTED.split()
_TENS = _TENS_LISTED.split()
_VALUES = {word: number for number, word in enumerate(_UNITS)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_SMALL = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_UNITS[1:10])}))?|{_UNIT})"
_NUMBER = re.compile(
    rf"\b(?:(?:(?P<hundreds>{_SMALL}|a) hundred)(?: and)?(?:[ ](?P<rest>{_SMALL}))?|(?P<small>{_SMALL}))\b"
)
_THOUSANDS = re.compile(r"\b(\d{1,3})((?:,\d{3})+)\b")
_LEADING_ZERO = re.compile(r"(?<![\d:.h])0(\d)(?![\d:.]|h\d|\s*(?:hours|hrs|h\b))")
_TWICE_SAID = re.compile(r"\b(\d+) \((\d+)\)")
_TIMES = (("once", "1 time"), ("twice", "2 times"), ("thrice", "3 times"))


def with_digits(text: str) -> str:
    """A text in small letters with its numbers in digits."""
    text = _NUMBER.sub(lambda found: str(_value(found)), text)
    text = _THOUSANDS.sub(lambda found: found[1] + found[2].replace(",", ""), text)
    text = _LEADING_ZERO.sub(r"\1", text)
    text = _TWICE_SAID.sub(lambda found: found[1] if found[1] == found[2] else found[0], text)
    for word, count in _TIMES:
        text = re.sub(rf"\b{word}\b", count, text)
    return text


def _value(found: re.Match[str]) -> int:
    if found["small"]:
        return _of(found["small"])
    hundreds = 1 if found["hundreds"] == "a" else _of(found["hundreds"])
    return hundreds * 100 + (_of(found["rest"]) if found["rest"] else 0)


def _of(words: str) -> int:
    return sum(_VALUES[word] for word in re.split("[- ]", words))
