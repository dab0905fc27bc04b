from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.app import running
from chappe.broker.receipts import HANDLE_MAX, ReceiptHandles
from chappe.config import Config, ServerSettings, StorageSettings
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


async def test_a_handle_outlives_the_server(tmp_path: Path) -> None:
    """What was received before a restart can be deleted after it."""
    config = Config(
        server=ServerSettings(data=tmp_path, port=0, open=True), storage=StorageSettings(reserve_bytes=4096)
    )
    async with running(config) as server, httpx.AsyncClient(base_url=server.url) as client:
        await ask(client, Action="CreateQueue", QueueName="q")
        await ask(client, Action="SendMessage", QueueUrl="q", MessageBody="x")
        received = await ask(client, Action="ReceiveMessage", QueueUrl="q")
        handle = received.partition("<ReceiptHandle>")[2].partition("<")[0]
    async with running(config) as server, httpx.AsyncClient(base_url=server.url) as client:
        await ask(client, Action="DeleteMessage", QueueUrl="q", ReceiptHandle=handle)


async def ask(client: httpx.AsyncClient, **parameters: str) -> str:
    answer = await client.post("/", data=parameters)
    assert answer.status_code == 200, answer.text
    return answer.text
