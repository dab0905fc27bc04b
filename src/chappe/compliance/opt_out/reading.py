"""The whole way from a text to what it means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chappe.compliance.opt_out.keywords import Lexicon, sentence_evidence, shouted_evidence
from chappe.compliance.opt_out.normalising import Words, normalise_text
from chappe.compliance.opt_out.phrases import Finding, apart, combined, find_phrases, find_scope, guarded, placed
from chappe.compliance.opt_out.reply import POSSIBLE, Evidence, EvidenceKind, Intent, Reply, Scope
from chappe.compliance.opt_out.tables import Language, jurisdictions, languages
from chappe.model.jurisdictions import WORLD, lineage

_LANGUAGE_OF_TRADE = "en"
"""STOP and its English kin are understood everywhere."""


def read_reply(
    text: str,
    *,
    language: str | None = None,
    jurisdiction: str | None = None,
    extra_keywords: Iterable[str] = (),
) -> Reply:
    """What a text from a person means. Pure; the same arguments give the same reply.

    `language` (BCP 47) and `jurisdiction` (ISO 3166) say what to expect: they settle words that mean different things
    in different languages and let short keywords count ("T" in Chinese). Every other language is read as well.
    `extra_keywords` are further words that mean an opt-out, of the sender or of a rule; `<sender>` in one stands for
    one to three words.
    """
    places = [place for place in lineage(jurisdiction) if place != WORLD]
    expected = _expected(language, places)
    every = (*expected, *(found for found in languages().values() if found not in expected))
    words = normalise_text(text)
    lexicon = Lexicon(expected, places, extra_keywords)
    whole = lexicon.whole(words)
    if whole is not None:
        return _reply([whole], whole.intent, whole.weight, words, every, keyword=whole.text)
    evidence, confidence = _from_free_text(words, lexicon, every)
    intent = _strongest(confidence)
    return _reply(evidence, intent, confidence[intent], words, every)


def expected_languages(language: str | None, jurisdiction: str | None) -> tuple[str, ...]:
    """The codes of the languages to expect of a person, likeliest first; English is always among them."""
    places = [place for place in lineage(jurisdiction) if place != WORLD]
    return tuple(found.code for found in _expected(language, places))


def _expected(language: str | None, places: Sequence[str]) -> tuple[Language, ...]:
    codes = [language.partition("-")[0].lower()] if language else []
    for place in places:
        entry = jurisdictions().get(place)
        codes += entry.languages if entry else []
    codes.append(_LANGUAGE_OF_TRADE)
    known = languages()
    return tuple(known[code] for code in dict.fromkeys(codes) if code in known)


def _from_free_text(
    words: Words, lexicon: Lexicon, every: Sequence[Language]
) -> tuple[list[Evidence], dict[Intent, float]]:
    spaced, compact = find_phrases(words, every)
    for keyword in (*sentence_evidence(lexicon, words), *shouted_evidence(lexicon, words)):
        spaced += placed(words, keyword)
    pools = [
        apart(guarded(spaced, words, every, spaced=True)),
        apart(guarded(compact, words, every, spaced=False)),
    ]
    intents = (Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP)
    confidence = {intent: max(_weighed(pool, intent) for pool in pools) for intent in intents}
    evidence = [finding.evidence for pool in pools for finding in pool]
    return evidence, confidence


def _weighed(pool: Sequence[Finding], intent: Intent) -> float:
    return combined((finding.evidence for finding in pool), intent)


def _strongest(confidence: dict[Intent, float]) -> Intent:
    """Who may want out is taken to want it, unless asking to come in is the clearer reading."""
    out, into = confidence[Intent.OPT_OUT], confidence[Intent.OPT_IN]
    confidence[Intent.NONE] = round(1.0 - max(confidence.values()), 3)
    if into >= POSSIBLE and into > out:
        return Intent.OPT_IN
    if out >= POSSIBLE:
        return Intent.OPT_OUT
    return Intent.HELP if confidence[Intent.HELP] >= POSSIBLE else Intent.NONE


def _reply(
    evidence: Sequence[Evidence],
    intent: Intent,
    confidence: float,
    words: Words,
    every: Sequence[Language],
    *,
    keyword: str | None = None,
) -> Reply:
    scope, pieces = Scope.CHANNEL, list(evidence)
    found = None if intent is Intent.NONE else find_scope(words, every)
    if found is not None:
        scope = found[0]
        pieces.append(Evidence(EvidenceKind.SCOPE, found[1], 0.0, intent))
    language = next((piece.language for piece in pieces if piece.weight and piece.intent is intent), None)
    return Reply(intent, scope, keyword, tuple(pieces), confidence, language)
