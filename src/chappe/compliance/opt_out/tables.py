"""The data: one file per language, and what is particular to jurisdictions.

A language file has

    keywords       words that mean one thing when they are the whole text, by intent
    common         keywords that are ordinary words as well, so that as one sentence among others they say less
    short          keywords so short or so common that they count only where the language is expected
    misspellings   of keywords, besides those that the rule for typing errors finds
    ordinary       words that look like misspelt keywords and are none
    courtesy       words that change nothing: please, thanks, hello
    classes        lists that patterns refer to
    phrases        patterns (patterns.py) by intent and by how much they say: strong, likely, weak
    guards         patterns that take back the evidence they touch: "don't stop", "bus stop"
    scope          patterns that tell what an opt-out is about
    spaced         false for a language written without spaces
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

import msgspec
import yaml

from chappe.compliance.opt_out.normalising import phrase_form
from chappe.compliance.opt_out.patterns import InvalidPattern, compile_pattern
from chappe.compliance.opt_out.reply import Intent, Scope
from chappe.compliance.packaged_tables import parse_table
from chappe.model.errors import InvalidConfiguration

WEIGHTS = {"strong": 0.9, "likely": 0.6, "weak": 0.3}
"""How much a phrase says. Two likely ones together are certain, one alone is for people to look at."""

_T = TypeVar("_T")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class LanguageFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A language file as it is written."""

    language: str
    keywords: dict[Intent, list[str]] = {}
    common: list[str] = []
    short: dict[Intent, list[str]] = {}
    misspellings: dict[str, list[str]] = {}
    ordinary: list[str] = []
    courtesy: list[str] = []
    classes: dict[str, list[str]] = {}
    phrases: dict[Intent, dict[str, list[str]]] = {}
    guards: list[str] = []
    scope: dict[Scope, list[str]] = {}
    spaced: bool = True


class JurisdictionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is particular to a jurisdiction: the languages to expect, and keywords of its law or its carriers.

    A keyword may hold `<sender>`, which stands for one to three words.
    """

    languages: list[str] = []
    keywords: dict[Intent, list[str]] = {}


class Phrase(msgspec.Struct, frozen=True):
    """A compiled pattern of a phrase."""

    pattern: re.Pattern[str]
    intent: Intent
    weight: float
    written: str


class Mark(msgspec.Struct, frozen=True):
    """A compiled pattern of a guard, or of a scope."""

    pattern: re.Pattern[str]
    written: str
    scope: Scope | None = None


class Language(msgspec.Struct, frozen=True):
    """A language, ready for use. Keywords and words are in normalised form."""

    code: str
    spaced: bool
    keywords: dict[str, Intent]
    common: frozenset[str]
    short: dict[str, Intent]
    misspellings: dict[str, str]
    ordinary: frozenset[str]
    courtesy: frozenset[str]
    phrases: tuple[Phrase, ...]
    guards: tuple[Mark, ...]
    scopes: tuple[Mark, ...]


@cache
def languages() -> dict[str, Language]:
    """Every language by its code (ISO 639)."""
    found = (_language(file) for file in _yaml_files(files("chappe.compliance.opt_out") / "languages"))
    return {language.code: language for language in found}


@cache
def jurisdictions() -> dict[str, JurisdictionEntry]:
    """What is particular to jurisdictions, by ISO 3166 code. Raises `InvalidConfiguration`."""
    file = files("chappe.compliance.opt_out") / "jurisdictions.yaml"
    found = _convert(file, dict[str, JurisdictionEntry])
    for place, entry in found.items():
        unknown = sorted(set(entry.languages) - set(languages()))
        if unknown:
            raise InvalidConfiguration(f"{file.name}: {place}: there is no language file for {', '.join(unknown)}")
    return found


@cache
def courtesy_words() -> tuple[str, ...]:
    """Words of every language that change nothing, the longest first."""
    words = {word for language in languages().values() for word in language.courtesy}
    return tuple(sorted(words, key=len, reverse=True))


def _yaml_files(folder: Traversable) -> list[Traversable]:
    return sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)


def _convert(file: Traversable, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(parse_table(file.read_text(encoding="utf-8")), kind)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise InvalidConfiguration(f"{file.name}: {error}", source=file.name) from error


def _language(file: Traversable) -> Language:
    written = _convert(file, LanguageFile)
    if not _LANGUAGE.fullmatch(written.language) or file.name != f"{written.language}.yaml":
        raise InvalidConfiguration(f"{file.name}: language must be the name of the file", source=file.name)
    try:
        return _compiled(written)
    except InvalidPattern as error:
        raise InvalidConfiguration(f"{file.name}: {error}", source=file.name) from error


def _compiled(written: LanguageFile) -> Language:
    def compiled(pattern: str) -> re.Pattern[str]:
        try:
            return compile_pattern(pattern, written.classes, spaced=written.spaced)
        except InvalidPattern as error:
            raise InvalidPattern(f"{pattern!r}: {error}") from error

    return Language(
        code=written.language,
        spaced=written.spaced,
        keywords=_by_word(written.keywords),
        common=_words(written.common),
        short=_by_word(written.short),
        misspellings={
            phrase_form(wrong): phrase_form(keyword)
            for keyword, wrongs in written.misspellings.items()
            for wrong in wrongs
        },
        ordinary=_words(written.ordinary),
        courtesy=_words(written.courtesy),
        phrases=tuple(
            Phrase(compiled(pattern), intent, _weight(strength), pattern)
            for intent, by_strength in written.phrases.items()
            for strength, patterns in by_strength.items()
            for pattern in patterns
        ),
        guards=tuple(Mark(compiled(pattern), pattern) for pattern in written.guards),
        scopes=tuple(
            Mark(compiled(pattern), pattern, scope) for scope, patterns in written.scope.items() for pattern in patterns
        ),
    )


def _weight(strength: str) -> float:
    if strength not in WEIGHTS:
        raise InvalidPattern(f"{strength} is not one of {', '.join(WEIGHTS)}")
    return WEIGHTS[strength]


def _by_word(by_intent: dict[Intent, list[str]]) -> dict[str, Intent]:
    return {phrase_form(word): intent for intent, words in by_intent.items() for word in words}


def _words(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(phrase_form, words))
