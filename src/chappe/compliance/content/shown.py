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

from chappe.compliance.content.scanning import Scan
from chappe.model.customer import Content

_UNSEEN = re2.compile(
    r"(?is)<!--.*?-->|<(?:script|style|head|title|template)\b.*?</(?:script|style|head|title|template)\s*>"
)
_LINK = re2.compile(r"""(?is)<a\b[^>]*?\bhref\s*=\s*["']?([^"'\s>]+)[^>]*>""")
_SPACES = re.compile("[\\t\\n\\f\\r \\xa0\\u200b]+")
_NO_LETTERS = re.compile(r"[^\w@+]+|_")
_NO_ASCII_LETTERS = bytes(code for code in range(128) if _NO_LETTERS.fullmatch(chr(code)))
_REMEMBERED_CHARACTERS_MAX = 4_096
_WORDS_REMEMBERED_MAX = 200


class Shown:
    """The subject and the readings of the body (plain text, then HTML), spaces made single, otherwise as written.

    Never changes; what has been worked out of it is kept, because the rules of a message all ask for the same.
    """

    __slots__ = ("_folded", "_found", "_letters", "bodies", "subject")

    def __init__(self, subject: str, bodies: tuple[str, ...]) -> None:
        self.subject = subject
        self.bodies = bodies
        self._folded: tuple[str, ...] | None = None
        self._letters: tuple[str, ...] | None = None
        self._found: _Found | None = None

    @property
    def folded_bodies(self) -> tuple[str, ...]:
        """The readings of the body without case."""
        if self._folded is None:
            self._folded = tuple(body.casefold() for body in self.bodies)
        return self._folded

    @property
    def letters_of_bodies(self) -> tuple[str, ...]:
        """The letters and digits of each reading of the body, see `only_letters`."""
        if self._letters is None:
            self._letters = tuple(_letters(body) for body in self.bodies)
        return self._letters

    def says(self, wanted: str) -> bool:
        """Whether every reading of the body has these words, whatever their case and the spaces between."""
        words = folded_words(wanted)
        for body in self.folded_bodies:
            if not _has_words(body, words):
                return False
        return bool(self.bodies)

    def matches(self, pattern: Any) -> bool:
        """Whether every reading of the body has a match."""
        found = self._found
        if found is not None and pattern in found.patterns:
            return bool(self.bodies) and all(pattern in patterns for patterns in found.in_bodies)
        return bool(self.bodies) and all(pattern.search(body) is not None for body in self.bodies)

    def has(self, pattern: Any) -> bool:
        """Whether the subject or any reading of the body has a match."""
        found = self._found
        if found is not None and pattern in found.patterns:
            return pattern in found.anywhere
        return any(text and pattern.search(text) is not None for text in (self.subject, *self.bodies))

    def lacks(self, text: str, pattern: Any) -> bool:
        """Whether it is known already that this text, if it is one of those shown, has no match."""
        found = self._found
        return (
            found is not None
            and pattern in found.patterns
            and pattern not in found.anywhere
            and (text == self.subject or text in self.bodies)
        )

    def look_for(self, scan: Scan) -> None:
        """Look for all these patterns now, so that `matches` and `has` need not do so one by one."""
        if self._found is not None and self._found.patterns is scan.patterns:
            return
        in_subject = scan.found_in(self.subject) if self.subject else frozenset()
        in_bodies = [scan.found_in(body) for body in self.bodies]
        if in_subject is None or None in in_bodies:
            return
        of_bodies = [patterns for patterns in in_bodies if patterns is not None]
        anywhere = in_subject.union(*(found for body, found in zip(self.bodies, of_bodies, strict=True) if body))
        self._found = _Found(scan.patterns, of_bodies, anywhere)


class _Found(msgspec.Struct, frozen=True, gc=False):
    """What a scan found: in each reading of the body, and where there is any text at all."""

    patterns: frozenset[Any]
    in_bodies: list[frozenset[Any]]
    anywhere: frozenset[Any]


def shown(content: Content) -> Shown:
    """What is shown of this content. The same object for the same content, as long as no other comes between."""
    of, seen = _latest.pair  # one read, so that a thread which asks for another content meanwhile does no harm
    if of is content:
        return seen
    bodies = []
    if content.text is not None:
        bodies.append(_single_spaced(content.text))
    if content.html is not None:
        bodies.append(visible_text(content.html))
    seen = Shown(content.subject or "", tuple(bodies))
    _latest.pair = (content, seen)
    return seen


class _Latest:
    """The content that was asked for last, and what is shown of it."""

    __slots__ = ("pair",)

    def __init__(self) -> None:
        self.pair: tuple[Content | None, Shown] = (None, Shown("", ()))


_latest = _Latest()


def visible_text(markup: str) -> str:
    """What of HTML is shown, link targets included, in one line."""
    if len(markup) <= _REMEMBERED_CHARACTERS_MAX:
        return _remembered_visible(markup)
    return _visible(markup)


def folded(text: str) -> str:
    """The text for comparing: single spaces, no case."""
    return " ".join(text.split()).casefold()


def folded_words(wanted: str) -> str:
    """`folded`, remembered: for what is looked for in every message."""
    return _remembered_words(wanted) if len(wanted) <= _WORDS_REMEMBERED_MAX else folded(wanted)


_remembered_words = lru_cache(maxsize=1_024)(folded)


def only_letters(text: str) -> str:
    """The letters and digits of a text, for comparing what is set in lines with what is not."""
    return _remembered_letters(text) if len(text) <= _WORDS_REMEMBERED_MAX else _letters(text)


def _letters(text: str) -> str:
    if text.isascii():
        return text.lower().encode().translate(None, _NO_ASCII_LETTERS).decode()
    return _NO_LETTERS.sub("", text.casefold())


_remembered_letters = lru_cache(maxsize=1_024)(_letters)


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
    text = _without_tags(_LINK.sub(r" \1 ", _UNSEEN.sub(" ", markup)))
    return _SPACES.sub(" ", html.unescape(text)).strip()


def _without_tags(markup: str) -> str:
    """A space for each tag. By hand, because a page has hundreds of tags and each match of RE2's takes microseconds."""
    parts, done = [], 0
    while (start := markup.find("<", done)) >= 0 and (end := markup.find(">", start)) >= 0:
        parts.append(markup[done:start])
        done = end + 1
    parts.append(markup[done:])
    return " ".join(parts)


_remembered_visible = lru_cache(maxsize=64)(_visible)


def _single_spaced(text: str) -> str:
    return " ".join(text.split())
