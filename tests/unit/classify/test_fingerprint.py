"""Fingerprints: what they drop, what they keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.classify.fingerprint import fingerprint, grams


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Your code is 123456.", "your CODE is 987654"),
        ("Paid Rs.500 to Ana", "paid rs 12345 to ana"),
        ("don\u2019t share", "dont share"),
        ("\uff21\uff22\uff23 \u0661\u0662", "abc 12"),
        ("two  spaces\nand lines", "two spaces and lines"),
    ],
)
def test_what_changes_from_one_recipient_to_the_next_is_gone(one: str, other: str) -> None:
    def without_marks(text: str) -> bytes:
        return b" ".join(word for word in fingerprint(text).split() if not word.startswith(b"^"))

    assert without_marks(one) == without_marks(other)


def test_marks_tell_what_was_lost() -> None:
    assert fingerprint("WIN A PRIZE TODAY FOR FREE!!!").endswith(b"^!! ^caps ^short")
    assert b"^code" in fingerprint("code 123456 is yours")
    assert b"^code" not in fingerprint("only 12 left")


def test_scripts_without_spaces_are_read_character_by_character() -> None:
    assert "\u9a57 \u8bc1".encode() in grams(fingerprint("\u9a57\u8bc1\u7801"))


@pytest.mark.parametrize(("word", "stem"), [("Bestätigung", "bestä-"), ("payments", "payme-"), ("платежами", "плате-")])
def test_long_words_are_known_by_their_beginning_which_ends_with_a_whole_letter(word: str, stem: str) -> None:
    assert stem.encode() in grams(fingerprint(word))


@given(st.text(max_size=300))
def test_any_text_has_a_fingerprint_that_is_stable_words(text: str) -> None:
    printed = fingerprint(text)
    assert b"  " not in printed
    assert printed == printed.strip()
    assert all(digit not in printed for digit in (b"1", b"5", b"9"))
    assert b"00" not in printed
