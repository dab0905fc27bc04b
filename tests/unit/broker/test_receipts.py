from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.broker.receipts import HANDLE_MAX, ReceiptHandles
from chappe.model.errors import ReceiptInvalid

RECEIPT = "00a1" * 16
HANDLES = ReceiptHandles(b"key")
HANDLE = HANDLES.of(RECEIPT, 1_800_000_000)


def test_a_handle_is_read_back() -> None:
    found = HANDLES.parse(HANDLE)
    assert (found.text, found.receipt, found.received_at_seconds) == (HANDLE, RECEIPT, 1_800_000_000)
    assert ReceiptHandles(b"key").parse(HANDLE) == found


@given(place=st.integers(0, len(HANDLE) - 1), character=st.sampled_from("0123456789abcdefABCDEF.-\u0660"))
def test_no_part_of_a_handle_can_be_altered(place: int, character: str) -> None:
    altered = HANDLE[:place] + character + HANDLE[place + 1 :]
    if altered != HANDLE:
        with pytest.raises(ReceiptInvalid):
            HANDLES.parse(altered)


@given(st.text(max_size=200) | st.just("x" * (HANDLE_MAX + 1)))
def test_what_was_never_a_handle_is_refused(text: str) -> None:
    with pytest.raises(ReceiptInvalid):
        HANDLES.parse(text)


def test_a_handle_of_another_server_is_refused() -> None:
    with pytest.raises(ReceiptInvalid):
        ReceiptHandles(b"another").parse(HANDLE)
