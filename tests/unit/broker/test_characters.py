"""Which characters pass, against the definition read literally."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.broker.characters import forbidden_character, is_identifier

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def allowed(character: str) -> bool:
    code = ord(character)
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


@given(TEXT | st.text("\x00\x08\t\n\x0b\r\x1f a\x7fé\ufffd\ufffe\uffff\U00010000", max_size=6))
def test_the_first_forbidden_character_is_named(text: str) -> None:
    first = next((f"#x{ord(character):X}" for character in text if not allowed(character)), None)
    assert forbidden_character(text.encode()) == first


@pytest.mark.parametrize("code", [0x8, 0xB, 0xC, 0x1F, 0xFFFE, 0xFFFF])
def test_the_edges_of_what_is_forbidden(code: int) -> None:
    assert forbidden_character(f"a{chr(code)}b".encode()) == f"#x{code:X}"


@pytest.mark.parametrize("code", [0x9, 0xA, 0xD, 0x20, 0x7F, 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x1FFFE, 0x10FFFF])
def test_the_edges_of_what_is_allowed(code: int) -> None:
    assert forbidden_character(f"a{chr(code)}b".encode()) is None


@given(st.text(string.printable + "é ", max_size=130))
def test_identifiers_are_letters_digits_and_punctuation(text: str) -> None:
    good = 1 <= len(text) <= 128 and all("!" <= character <= "~" for character in text)
    assert is_identifier(text) == good
