"""Whether a text is in English, the one language that is read.

Judged by the small words that any English prose is full of. A notice of a few entries has hardly any, so that there one
will do; letters of another script never will.
"""

from __future__ import annotations

import re

from chappe.model.errors import InvalidInput

_LISTED = (
    "the and are be by any not that this it with from if who which may must shall than more each before after between "
    "only within when where or unless hours day days time times allowed consent required"
)
"""None that neighbouring languages have as well, such as "a", "in", "of", "is", "for" and "to"."""
_SMALL_WORDS = frozenset(_LISTED.split())
_WORDS = re.compile(r"[^\W\d_]+")
_SHARE_MIN = 0.1
_SHORT_WORDS = 60
_SHORT_SHARE_MIN = 0.04
_FOREIGN_LETTERS_MAX = 0.2
_LAST_LATIN = 0x24F


def check_english(text: str) -> None:
    """Raises `InvalidInput` for a text that is not in English."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum(1 for character in letters if ord(character) > _LAST_LATIN)
    words = [word.lower() for word in _WORDS.findall(text)]
    if not words:
        raise InvalidInput("the text holds no words: give the text of a regulation, or a file with it")
    share = sum(1 for word in words if word in _SMALL_WORDS) / len(words)
    wanted = _SHORT_SHARE_MIN if len(words) < _SHORT_WORDS else _SHARE_MIN
    if foreign > len(letters) * _FOREIGN_LETTERS_MAX or share < wanted:
        raise InvalidInput("only English is read, and the text does not seem to be in it: give an English translation")
