"""Categories of content, by the words they use.

Words are looked for in the folded text (lower case, compatibility forms as usual ones, single spaces for everything
that is neither letter nor digit), patterns in the text as it is. Each of the two is one RE2 set (`google-re2`), so that
a text is read twice, in time linear in its length, however many words there are. The lists that come with Chappe are in
`moderation.yaml`; files of the same form add categories and words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import re2
import yaml

from chappe.classify.fingerprint import TEXT_CHARACTERS_MAX
from chappe.model.errors import InvalidConfiguration

PATTERN_CHARACTERS_MAX = 500
PATTERNS_MAX = 20_000
FILE_BYTES_MAX = 2 * 1_048_576
_SET_BYTES_MAX = 64 * 1_048_576
_CATEGORY = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_SPACELESS = ("zh", "ja", "ko", "th")
_PATTERN = "re:"


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category in a file: what it is about, and words and patterns by language."""

    words: dict[str, tuple[str, ...]]
    about: str = ""


class Moderator:
    """Finds the categories of texts. Never changes once built; safe to share between threads."""

    def __init__(self, lists: Mapping[str, Sequence[Category]]) -> None:
        """Raises `InvalidConfiguration` naming the patterns that are none."""
        self.categories = tuple(lists)
        words: list[tuple[str, str]] = []
        patterns: list[tuple[str, str]] = []
        for name, language, word in _words(lists):
            if word.startswith(_PATTERN):
                patterns.append((name, word.removeprefix(_PATTERN)))
            else:
                words.append((name, word_pattern(word, language)))
        self._words = _PatternSet(words, case_sensitive=True)
        self._patterns = _PatternSet(patterns, case_sensitive=False)

    def categories_of(self, text: str) -> tuple[str, ...]:
        """The categories that the words of a text belong to, in the order of the lists. Pure."""
        found = {*self._words.owners_in(folded(text)), *self._patterns.owners_in(text)}
        return tuple(category for category in self.categories if category in found) if found else ()


class _PatternSet:
    """RE2 patterns with what each stands for."""

    def __init__(self, patterns: Sequence[tuple[str, str]], *, case_sensitive: bool) -> None:
        if len(patterns) > PATTERNS_MAX:
            raise InvalidConfiguration(f"there are {len(patterns)} moderation patterns; {PATTERNS_MAX} may be.")
        options = re2.Options()
        options.case_sensitive = case_sensitive
        options.log_errors = False
        options.max_mem = _SET_BYTES_MAX
        self._set: Any = re2.Set.SearchSet(options)
        self._owners = [owner for owner, _ in patterns]
        problems: list[str] = []
        for owner, pattern in patterns:
            try:
                self._set.Add(pattern)
            except re2.error as error:
                problems.append(f"{owner}: {pattern!r} is no RE2 expression: {_text_of(error)}")
        if problems:
            raise InvalidConfiguration("moderation patterns cannot be used:\n  " + "\n  ".join(problems[:20]))
        if patterns:
            try:
                self._set.Compile()
            except re2.error as error:
                raise InvalidConfiguration("the moderation patterns together are too large for RE2.") from error

    def owners_in(self, text: str) -> set[str]:
        if not self._owners:
            return set()
        return {self._owners[number] for piece in _pieces(text) for number in self._set.Match(piece) or ()}


_PIECE_MAX = 16 * TEXT_CHARACTERS_MAX
_OVERLAP = 500


def _pieces(text: str) -> Iterable[str]:
    """The text in overlapping pieces, so that what RE2 is given at once is bounded."""
    if len(text) <= _PIECE_MAX:
        return (text,)
    return (text[start : start + _PIECE_MAX] for start in range(0, len(text), _PIECE_MAX - _OVERLAP))


@cache
def packaged_lists() -> dict[str, Category]:
    """The lists that come with Chappe."""
    return read_lists(files("chappe.classify").joinpath("moderation.yaml").read_bytes(), "the packaged lists")


def load_moderator(paths: Iterable[Path] = (), *, packaged: bool = True, off: Iterable[str] = ()) -> Moderator:
    """The packaged lists with those of files, without the categories that are `off`.

    Raises `InvalidConfiguration` naming the file and what is wrong.
    """
    found: dict[str, list[Category]] = {}
    sources = [packaged_lists()] if packaged else []
    sources += [_file_lists(path) for path in paths]
    for source in sources:
        for name, category in source.items():
            found.setdefault(name, []).append(category)
    left_out = set(off)
    unknown = left_out - set(found)
    if unknown:
        raise InvalidConfiguration(f"there is no moderation category {', '.join(sorted(unknown))}")
    return Moderator({name: lists for name, lists in found.items() if name not in left_out})


def read_lists(raw: bytes, name: str) -> dict[str, Category]:
    """The categories of a file's content. Raises `InvalidConfiguration`."""
    try:
        lists = msgspec.convert(yaml.safe_load(raw), dict[str, Category])
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise InvalidConfiguration(f"{name}: these are no moderation lists: {error}") from error
    for category, entry in lists.items():
        if not _CATEGORY.fullmatch(category):
            raise InvalidConfiguration(f"{name}: {category!r} is no name of a category; use a-z, 0-9 and _.")
        for word in (word for words in entry.words.values() for word in words):
            if not word.strip("* ") or len(word) > PATTERN_CHARACTERS_MAX:
                raise InvalidConfiguration(f"{name}: {category}: a word has 1 to {PATTERN_CHARACTERS_MAX} characters.")
    return lists


def _file_lists(path: Path) -> dict[str, Category]:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise InvalidConfiguration(f"{path}: moderation lists have at most {FILE_BYTES_MAX} bytes.")
        return read_lists(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidConfiguration(f"{path}: cannot be read: {error.strerror}.") from error


def _words(lists: Mapping[str, Sequence[Category]]) -> Iterable[tuple[str, str, str]]:
    for name, categories in lists.items():
        for category in categories:
            for language, words in category.words.items():
                for word in words:
                    yield name, language, word


def word_pattern(word: str, language: str) -> str:
    """The RE2 pattern of a word in a folded text: whole words, except where a script does not part them."""
    stem = folded(word.rstrip("*")).strip()
    if language in _SPACELESS:
        return str(re2.escape(stem))
    return str(re2.escape(f" {stem}" if word.endswith("*") else f" {stem} "))


def folded(text: str) -> str:
    """The text as words are looked for: between two spaces each."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_FOLDED)
    return f" {' '.join(text.lower().translate(_ASCII_FOLDED).split())} "


class _Folded(dict[int, str | None]):
    """Characters to what they count as; there are only so many."""

    def __missing__(self, code: int) -> str | None:
        self[code] = folded_character = self._of(chr(code))
        return folded_character

    @staticmethod
    def _of(character: str) -> str | None:
        category = unicodedata.category(character)
        if category == "Cf":
            return None
        return character if category[0] in "LMN" or character.isascii() else " "


_FOLDED = _Folded({0x2018: "'", 0x2019: "'", 0x02BC: "'"})
_ASCII_FOLDED = {code: None if chr(code) == "'" else " " for code in range(128) if not chr(code).isalnum()}


def _text_of(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
