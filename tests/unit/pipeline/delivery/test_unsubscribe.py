from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.pipeline.delivery.unsubscribe import UnsubscribeLinks

LINKS = UnsubscribeLinks(b"0123456789abcdef", "https://m.example.com/")
KEYS = st.integers(0, (1 << 63) - 1)


@given(KEYS)
def test_a_token_leads_back_to_its_message(key: int) -> None:
    assert LINKS.key_of(LINKS.token(key)) == key
    assert LINKS.url(key) == "https://m.example.com/v1/unsubscribe/" + LINKS.token(key)


@given(KEYS, st.integers(0, 31), st.sampled_from("ABCabc012-_="))
def test_a_changed_token_leads_nowhere(key: int, place: int, character: str) -> None:
    token = LINKS.token(key)
    changed = token[:place] + character + token[place + 1 :]
    assert LINKS.key_of(changed) == (key if changed == token else None)


@given(st.text(max_size=40))
def test_other_text_leads_nowhere(text: str) -> None:
    assert LINKS.key_of(text) is None


def test_another_servers_token_leads_nowhere() -> None:
    other = UnsubscribeLinks(b"fedcba9876543210", None)
    assert LINKS.key_of(other.token(1)) is None
    assert other.url(1) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        UnsubscribeLinks(b"short", None)
