"""What a recipient gets to read of a message, in a form in which it can be looked for.

Markup, comments, styles and scripts are no part of it: an address that stands in a comment is not shown to anybody.
Patterns over content are RE2's (`google-re2`): linear in the length of the text, whatever the pattern.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Any

import msgspec
import re2

from chappe.model.customer import Content

_UNSEEN = re2.compile(
    r"(?is)<!--.*?-->|<(?:script|style|head|title|template)\b.*?</(?:script|style|head|title|template)\s*>"
)
_LINK = re2.compile(r"""(?is)<a\b[^>]*?\bhref\s*=\s*["']?([^"'\s>]+)[^>]*>""")
_TAG = re2.compile(r"(?s)<[^>]*>")
_SPACES = re2.compile(r"[\s\x{a0}\x{200b}]+")
_NO_LETTERS = re.compile(r"[^\w@+]+|_")
_REMEMBERED_CHARACTERS_MAX = 4_096


class Shown(msgspec.Struct, frozen=True):
    """The subject and the readings of the body (plain text, then HTML), spaces made single, otherwise as written."""

    subject: str
    bodies: tuple[str, ...]

    def says(self, wanted: str) -> bool:
        """Whether every reading of the body has these words, whatever their case and the spaces between."""
        words = folded(wanted)
        return bool(self.bodies) and all(_has_words(_folded(body), words) for body in self.bodies)

    def matches(self, pattern: Any) -> bool:
        """Whether every reading of the body has a match."""
        return bool(self.bodies) and all(pattern.search(body) is not None for body in self.bodies)

    def any_match(self, pattern: Any) -> str | None:
        """What matches first, in the subject or any reading of the body."""
        for text in (self.subject, *self.bodies):
            found = pattern.search(text) if text else None
            if found is not None:
                return str(found.group())
        return None


def shown(content: Content) -> Shown:
    """What is shown of this content."""
    bodies = []
    if content.text is not None:
        bodies.append(_single_spaced(content.text))
    if content.html is not None:
        bodies.append(visible_text(content.html))
    return Shown(content.subject or "", tuple(bodies))


def visible_text(markup: str) -> str:
    """What of HTML is shown, link targets included, in one line."""
    if len(markup) <= _REMEMBERED_CHARACTERS_MAX:
        return _remembered_visible(markup)
    return _visible(markup)


def folded(text: str) -> str:
    """The text for comparing: single spaces, no case."""
    return " ".join(text.split()).casefold()


def only_letters(text: str) -> str:
    """The letters and digits of a text, for comparing what is set in lines with what is not."""
    return _remembered_letters(text) if len(text) <= _REMEMBERED_CHARACTERS_MAX else _letters(text)


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text.casefold())


_remembered_letters = lru_cache(maxsize=64)(_letters)


def _has_words(text: str, words: str) -> bool:
    """Whether the words stand there by themselves: `Ann` is not in `announcement`."""
    at = text.find(words)
    while at >= 0:
        end = at + len(words)
        if not (_joined(text[at - 1 : at], words[:1]) or _joined(words[-1:], text[end : end + 1])):
            return True
        at = text.find(words, at + 1)
    return False


def _joined(left: str, right: str) -> bool:
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()


def _visible(markup: str) -> str:
    text = _TAG.sub(" ", _LINK.sub(r" \1 ", _UNSEEN.sub(" ", markup)))
    return str(_SPACES.sub(" ", html.unescape(text))).strip()


_remembered_visible = lru_cache(maxsize=64)(_visible)


def _single_spaced(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=64)
def _remembered_folded(text: str) -> str:
    return text.casefold()


def _folded(text: str) -> str:
    return _remembered_folded(text) if len(text) <= _REMEMBERED_CHARACTERS_MAX else text.casefold()
