"""The small language in which phrases are written.

A pattern is items with spaces between them:

    word           this word
    stem*          a word that begins so
    one|two        either; `take_me` stands for two words
    item?          the item, or nothing
    <name>         any entry of a class of the same file
    ..             up to three words of the same sentence
    ^              the beginning of a sentence
    $              the end of a sentence, also as one of several: `from|$`
    ?              a question mark

Words are normalised like the text they are looked for in, so tables are written as people write. In languages without
spaces a pattern is matched against the text with its spaces removed, and `..` is up to eight characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chappe.compliance.opt_out.normalising import phrase_form

_GAP_WORDS = 3
_GAP_CHARACTERS = 8
_ANCHORS = {
    "^": (r"(?:(?<=^)|(?<=[.?] ))", r"(?:(?<=^)|(?<=[.?]))"),
    "$": (r"(?=[.?] |$)", r"(?=[.?]|$)"),
    "?": (r"\? ", r"\?"),
}
"""How they read in a text with spaces, and without."""

Classes = Mapping[str, Sequence[str]]


class InvalidPattern(ValueError):
    """A pattern that cannot be read."""


def compile_pattern(pattern: str, classes: Classes, *, spaced: bool) -> re.Pattern[str]:
    """A pattern as an expression over `Words.spaced` (or, for a language without spaces, `Words.compact`).

    Raises `InvalidPattern`.
    """
    items = pattern.split()
    if not items:
        raise InvalidPattern("a pattern needs at least one item")
    start = r"(?<![^ ])" if spaced else ""
    return re.compile(start + "".join(_item(item, classes, spaced) for item in items))


def _item(item: str, classes: Classes, spaced: bool) -> str:
    if item == "..":
        return rf"(?:[^ .?]+ ){{0,{_GAP_WORDS}}}" if spaced else rf"[^.?]{{0,{_GAP_CHARACTERS}}}?"
    if item in _ANCHORS:
        return _alternative(item, spaced)
    optional = item.endswith("?") and not item.endswith("|?")
    texts = _alternatives(item.removesuffix("?") if optional else item, classes)
    found = [_alternative(text, spaced) for text in texts]
    either = f"(?:{'|'.join(sorted(found, key=len, reverse=True))})"
    return f"{either}?" if optional else either


def _alternatives(item: str, classes: Classes) -> list[str]:
    found: list[str] = []
    for text in item.split("|"):
        if text.startswith("<") and text.endswith(">"):
            if text[1:-1] not in classes:
                raise InvalidPattern(f"there is no class {text}")
            found += classes[text[1:-1]]
        else:
            found.append(text.replace("_", " "))
    return found


def _alternative(text: str, spaced: bool) -> str:
    if text in _ANCHORS:
        return _ANCHORS[text][0 if spaced else 1]
    stem = text.endswith("*")
    words = phrase_form(text.removesuffix("*"))
    if not words:
        raise InvalidPattern(f"{text!r} has no words")
    if not spaced:
        return re.escape(words.replace(" ", ""))
    return re.escape(words) + ("[^ ]* " if stem else " ")
