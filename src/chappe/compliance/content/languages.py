"""Telling whether a text is, at least in part, in a language: by its script, or by the small words it is full of.

A guess for reminders, not a proof: `language` of a message says it for certain.
"""

from __future__ import annotations

from collections.abc import Iterable

from chappe.compliance.content.patterns import compiled

_SMALL_WORDS_MIN = 3
_SCRIPTS = {
    "zh": r"\p{Han}",
    "ko": r"\p{Hangul}",
    "ja": r"\p{Hiragana}|\p{Katakana}",
    "he": r"\p{Hebrew}",
    "ar": r"\p{Arabic}",
    "ru": r"\p{Cyrillic}",
    "el": r"\p{Greek}",
    "th": r"\p{Thai}",
    "hi": r"\p{Devanagari}",
}
_SMALL_WORDS = {
    "en": "the and you your for with this that from have will are our get now more not can all",
    "fr": "le la les des une vous votre vos nous notre pour avec dans est sont sur plus jusqu aux du et",
    "de": "der die das und ist nicht mit für auf ein eine sie ihr ihre wir sind von bei nur jetzt",
    "es": "el los las una para con por que su sus nuestro nuestra más hasta está son del y hoy",
    "it": "il gli una per con che del della nostro nostra più fino sono tuo tua oggi e nel di",
    "pt": "os as uma para com por que seu sua nosso nossa mais até são não do da você hoje",
    "nl": "de het een en van voor met uw jouw onze niet is zijn op naar bij nu meer",
}


def seems_to_have(language: str, texts: Iterable[str]) -> bool:
    """Whether the texts, taken together, seem to be partly in a language. Of one that is not known here, never."""
    script = _SCRIPTS.get(language)
    if script is not None:
        return any(compiled(script).search(text) is not None for text in texts)
    words = _SMALL_WORDS.get(language)
    if words is None:
        return False
    found = {word for text in texts for word in compiled(r"\p{L}+").findall(text.casefold())}
    return len(found.intersection(words.split())) >= _SMALL_WORDS_MIN
