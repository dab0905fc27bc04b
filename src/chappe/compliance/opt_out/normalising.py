"""A text as plain words, so that one form of a word is enough in the tables.

Compatibility forms are folded (NFKC: full width, ligatures), then case, then the diacritics that people leave out when
they type on a telephone. Vowel signs that make another word in their script (Devanagari, Thai, the marks of kana) stay.
"""

from __future__ import annotations

import re
import unicodedata

import msgspec

TEXT_CHARACTERS_MAX = 1_000
"""What is looked at of a text; an opt-out stands at its beginning."""
_LINES_MAX = 40
STOP = "."
QUESTION = "?"

# Combining marks that may be missing: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs.
_OPTIONAL_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]")
_LETTERS = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
    | {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ـ": None, "ك": "ك", "ک": "ك", "ی": "ي"}
    | {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "＇": "'"}
)
_CONTRACTED = re.compile(r"(?<=[a-z])'(?=(?:t|s|re|m|ve|ll|d)\b)")
_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}")
_WORD = r"[\w\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]+"
"""Python does not count the vowel signs of Indic scripts and Thai among the characters of words."""
_TOKEN = re.compile(_WORD + r"|[.!?;:\n。！？；：…।؟۔]")
_QUESTIONS = frozenset("?？؟")
_ENDS = frozenset(".!;:\n。！；：…।۔")
_SPELT_OUT = re.compile(r"(?:\w[\s.\-_*]+){2,}\w[\s.!]*")
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "@": "a", "$": "s"})
_LEET_WORD = re.compile(r"(?<![\w@$])(?=[\w@$]*[a-z])(?=[\w@$]*[0-9@$])[a-z01345@$]{3,12}(?![\w@$])")
_INVISIBLE = frozenset({"Cf", "Cc", "Cs", "Co", "Cn"})

_QUOTED = re.compile(
    r"^\s*(?:>|-----|_____|On .{5,100} wrote:|Am .{5,100} schrieb|Le .{5,100} a écrit|El .{5,100} escribió)"
)
_SIGNED = re.compile(
    r"^\s*(?:--\s*$|(?:sent|get) (?:from|via) |gesendet mit |von meinem |envoyé (?:de|depuis) |enviado desde |"
    r"enviado do |inviato da |verzonden (?:vanaf|met) |wysłane z |skickat från |sendt fra |отправлено с )",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<=\w)[\s.!,]*(?:\s[-–—~]+\s*|\n\s*)[A-ZÀ-Þ][\w'’]{0,20}(?: [A-ZÀ-Þ][\w'’.]{0,20}){0,2}\s*$")
"""A name at the end, after a dash or on a line of its own: "STOP - Ana Lima"."""


class Words(msgspec.Struct, frozen=True):
    """A normalised text.

    `spaced` has one space after each word and each mark of the end of a sentence; `compact` is the same without
    spaces, for scripts that do not use them. `shouted` are the words written in capitals while others are not.
    `symbols` are pictures and signs, in order.
    """

    spaced: str
    compact: str
    shouted: frozenset[str]
    symbols: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences, without their ends."""
        parts = re.split(r"(?:^|(?<= ))[.?] ", self.spaced)
        return tuple(part.strip() for part in parts if part.strip())


def normalise_text(text: str) -> Words:
    """The words of a text as it arrived."""
    own = unicodedata.normalize("NFKC", _own_words(text[: 4 * TEXT_CHARACTERS_MAX])[:TEXT_CHARACTERS_MAX])
    symbols = tuple(character for character in own if unicodedata.category(character) in ("So", "Sk"))
    visible = "".join(" " if _is_picture(character) else character for character in own if _is_visible(character))
    if _SPELT_OUT.fullmatch(visible.strip()):
        visible = re.sub(r"[\s.\-_*]+", "", visible)
    folded = fold(visible)
    tokens = [_token(match[0]) for match in _TOKEN.finditer(folded)]
    kept = [token for index, token in enumerate(tokens) if token not in (STOP, QUESTION) or _ends(tokens, index)]
    spaced = "".join(f"{token} " for token in kept)
    return Words(spaced, spaced.replace(" ", ""), _shouted(visible), symbols)


def fold(text: str) -> str:
    """Case, optional marks, contractions, digits for letters and long runs of one letter folded."""
    decomposed = unicodedata.normalize("NFD", text.casefold().translate(_LETTERS))
    plain = unicodedata.normalize("NFC", _OPTIONAL_MARKS.sub("", decomposed)).translate(_LETTERS)
    joined = _CONTRACTED.sub("", plain)
    return _LONG_RUN.sub(r"\1", _LEET_WORD.sub(lambda match: match[0].translate(_LEET), joined))


def phrase_form(text: str) -> str:
    """An entry of the tables in the form of `Words.spaced`, without the last space."""
    return " ".join(match[0] for match in re.finditer(_WORD, fold(unicodedata.normalize("NFKC", text))))


def _own_words(text: str) -> str:
    """Without what was quoted, and without a signature."""
    kept: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:_LINES_MAX]:
        if _QUOTED.match(line) or _SIGNED.match(line):
            if kept and any(earlier.strip() for earlier in kept):
                break
            continue
        kept.append(line)
    return _NAMED.sub("", "\n".join(kept).strip())


def _is_visible(character: str) -> bool:
    return character == "\n" or unicodedata.category(character) not in _INVISIBLE


def _is_picture(character: str) -> bool:
    # Variation selectors and the key cap go with the picture they belong to.
    return unicodedata.category(character) in ("So", "Sk") or "\ufe00" <= character <= "\ufe0f" or character == "\u20e3"


def _token(text: str) -> str:
    if text in _QUESTIONS:
        return QUESTION
    return STOP if text in _ENDS else text


def _ends(tokens: list[str], index: int) -> bool:
    """Whether this mark ends something: it does not begin the text and is the last of several."""
    ahead = tokens[index + 1] if index + 1 < len(tokens) else ""
    return any(token not in (STOP, QUESTION) for token in tokens[:index]) and ahead not in (STOP, QUESTION)


def _shouted(text: str) -> frozenset[str]:
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) >= 3]
    loud = [word for word in words if word.isupper()]
    return frozenset(fold(word) for word in loud) if len(loud) < len(words) else frozenset()
