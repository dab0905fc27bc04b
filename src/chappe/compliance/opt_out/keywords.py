"""Words that mean one thing when they are the whole text, and how they are mistyped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from chappe.compliance.opt_out.normalising import QUESTION, STOP, Words, phrase_form
from chappe.compliance.opt_out.reply import Evidence, EvidenceKind, Intent
from chappe.compliance.opt_out.tables import Language, courtesy_words, jurisdictions, languages

EXACT = 1.0
KNOWN_MISSPELLING = 0.95
TYPING_ERROR = 0.85
ASKED = 0.6
"""A keyword with a question mark: "Stop?"."""
IN_A_SENTENCE = 0.9
COMMON_IN_A_SENTENCE = 0.6
SHOUTED = 0.6
PICTURE = 0.6

_REFUSING_PICTURES = frozenset("🛑⛔🚫")
_SHORT_CODE = re.compile(r"(?: (?:au|to|al|a|an|til|do|naar|ke|на))? [0-9]{3,6}$")
_SENDER = "<sender>"
_SENDER_WORDS = r"[^ ]+(?: [^ ]+){0,2}"
_ONE_ERROR_LETTERS_MIN = 6
_TWO_ERRORS_LETTERS_MIN = 9
_SLIP_LETTERS_MIN = 4


class Lexicon:
    """The keywords to expect, for one person: of all languages, of a jurisdiction, and the caller's own."""

    def __init__(self, expected: Sequence[Language], places: Sequence[str], extra: Iterable[str]) -> None:
        self._expected = expected
        self._others = [language for language in languages().values() if language not in expected]
        self._own: dict[str, Intent] = {}
        self._templates: list[tuple[re.Pattern[str], Intent]] = []
        self._add(Intent.OPT_OUT, extra)
        for place in places:
            entry = jurisdictions().get(place)
            for intent, words in (entry.keywords if entry else {}).items():
                self._add(intent, words)

    def _add(self, intent: Intent, words: Iterable[str]) -> None:
        for word in words:
            if _SENDER in word:
                self._templates.append((_template(word), intent))
            elif plain := phrase_form(word):
                self._own.setdefault(plain, intent)

    def whole(self, words: Words) -> Evidence | None:
        """What the text is if it is a keyword and nothing else."""
        asked = words.spaced.rstrip().endswith(QUESTION)
        tokens = [token for token in words.spaced.split() if token not in (STOP, QUESTION)]
        plain = " ".join(tokens)
        if not plain:
            return _picture(words)
        bare = _bare(plain)
        found = self.exact(plain) or self.exact(bare) or self._mistyped(bare)
        if found is None or not asked or found.intent is Intent.HELP:
            return found
        return Evidence(found.kind, found.text, ASKED, found.intent, found.language)

    def exact(self, plain: str) -> Evidence | None:
        """The keyword that this is."""
        found = self._lookup(plain)
        if found is None:
            found = self._lookup(_SHORT_CODE.sub("", plain))
        return found

    def is_common(self, keyword: str) -> bool:
        """Whether a keyword is an ordinary word as well."""
        return any(keyword in language.common for language in languages().values())

    def _lookup(self, plain: str) -> Evidence | None:
        compact = plain.replace(" ", "")
        if plain in self._own:
            return Evidence(EvidenceKind.KEYWORD, plain, EXACT, self._own[plain])
        for language in self._expected:
            for word in (plain, compact):
                intent = language.keywords.get(word) or language.short.get(word)
                if intent is not None:
                    return Evidence(EvidenceKind.KEYWORD, word, EXACT, intent, language.code)
        for language in self._others:
            for word in (plain, compact):
                if word in language.keywords:
                    return Evidence(EvidenceKind.KEYWORD, word, EXACT, language.keywords[word], language.code)
        for template, intent in self._templates:
            if template.fullmatch(plain):
                return Evidence(EvidenceKind.KEYWORD, plain, EXACT, intent)
        return None

    def _mistyped(self, plain: str) -> Evidence | None:
        for language in (*self._expected, *self._others):
            if plain in language.misspellings:
                keyword = language.misspellings[plain]
                intent = language.keywords[keyword]
                return Evidence(EvidenceKind.MISSPELLING, keyword, KNOWN_MISSPELLING, intent, language.code)
        if " " in plain or plain in ordinary_words():
            return None
        for language in (*self._expected, *self._others):
            for keyword, intent in language.keywords.items():
                if " " not in keyword and is_typing_error(plain, keyword):
                    return Evidence(EvidenceKind.MISSPELLING, keyword, TYPING_ERROR, intent, language.code)
        return None


def sentence_evidence(lexicon: Lexicon, words: Words) -> list[Evidence]:
    """Keywords that are one sentence of several: "Stop. I have asked before."""
    sentences = words.sentences
    if len(sentences) < 2:
        return []
    found = [lexicon.exact(sentence) or lexicon.exact(_bare(sentence)) for sentence in sentences]
    return [
        Evidence(
            EvidenceKind.SENTENCE,
            evidence.text,
            COMMON_IN_A_SENTENCE if lexicon.is_common(evidence.text) else IN_A_SENTENCE,
            evidence.intent,
            evidence.language,
        )
        for evidence in found
        if evidence is not None
    ]


def shouted_evidence(lexicon: Lexicon, words: Words) -> list[Evidence]:
    """Opt-out keywords written in capitals among words that are not: "please STOP now"."""
    found = (lexicon.exact(word) for word in sorted(words.shouted))
    return [
        Evidence(EvidenceKind.SHOUTED, evidence.text, SHOUTED, evidence.intent, evidence.language)
        for evidence in found
        if evidence is not None and evidence.intent is Intent.OPT_OUT
    ]


@cache
def ordinary_words() -> frozenset[str]:
    """Words of all languages that look like misspelt keywords and are none."""
    return frozenset(word for language in languages().values() for word in language.ordinary)


def is_typing_error(word: str, keyword: str) -> bool:
    """Whether a word is a keyword with a slip of the finger.

    One letter more, less, other, or two exchanged in keywords of six letters or more; two such errors from nine
    letters; in shorter ones only two letters exchanged or one doubled, because too many ordinary words are near.
    """
    if word == keyword or abs(len(word) - len(keyword)) > 2 or not _begin_alike(word, keyword):
        return False
    letters = len(keyword)
    if letters < _SLIP_LETTERS_MIN:
        return False
    if letters < _ONE_ERROR_LETTERS_MIN:
        return _is_exchange(word, keyword) or _is_doubling(word, keyword)
    return _distance(word, keyword) <= (2 if letters >= _TWO_ERRORS_LETTERS_MIN else 1)


def _begin_alike(word: str, keyword: str) -> bool:
    return keyword[:1] in (word[:1], word[1:2])


def _is_exchange(word: str, keyword: str) -> bool:
    if len(word) != len(keyword):
        return False
    differing = [index for index in range(len(word)) if word[index] != keyword[index]]
    if len(differing) != 2 or differing[1] != differing[0] + 1:
        return False
    first, second = differing
    return word[first] == keyword[second] and word[second] == keyword[first]


def _is_doubling(word: str, keyword: str) -> bool:
    return len(word) == len(keyword) + 1 and any(
        word[:index] + word[index + 1 :] == keyword and word[index] == word[index - 1] for index in range(1, len(word))
    )


def _distance(left: str, right: str) -> int:
    """Insertions, deletions, replacements and exchanges of neighbours that turn one into the other."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _bare(plain: str) -> str:
    """Without words of courtesy at both ends, and a word that is said several times said once."""
    changed = True
    while changed:
        changed = False
        for word in courtesy_words():
            if plain.startswith(word + " "):
                plain, changed = plain[len(word) + 1 :], True
            if plain.endswith(" " + word):
                plain, changed = plain[: -len(word) - 1], True
    words = plain.split(" ")
    return words[0] if len(set(words)) == 1 else plain


def _picture(words: Words) -> Evidence | None:
    if words.symbols and set(words.symbols) <= _REFUSING_PICTURES:
        return Evidence(EvidenceKind.EMOJI, words.symbols[0], PICTURE, Intent.OPT_OUT)
    return None


def _template(keyword: str) -> re.Pattern[str]:
    before, _, after = keyword.partition(_SENDER)
    parts = (re.escape(phrase_form(before)), _SENDER_WORDS, re.escape(phrase_form(after)))
    return re.compile(" ".join(part for part in parts if part))
