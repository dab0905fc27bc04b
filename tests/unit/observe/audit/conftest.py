"""Logs to look at: a small one made by a pipeline, and chains made of nothing but records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.clocks import RunningClock
from tests.unit.pipeline.house import House, clock_at, house

from chappe.model.customer import Channel, Purpose, Recipient, Status
from chappe.observe.audit.record import ErasureRecord
from chappe.observe.audit.recording import open_entry
from chappe.records.audit_pages import Entry


@pytest.fixture
def clock() -> RunningClock:
    return clock_at("2026-03-02T12:00:00+00:00")


@pytest.fixture
async def home(tmp_path: Path, clock: RunningClock) -> AsyncIterator[House]:
    """A pipeline whose audit log holds seven records in a few pages: three mails that went out, a text that did not."""
    async with house(tmp_path, clock=clock) as h:
        await decide_some(h)
        yield h


async def decide_some(h: House, mails: int = 3) -> list[int]:
    """Have messages decided: mails that are allowed twice, and a text that is blocked; their keys."""
    keys = [await h.send(to=Recipient(email=f"person{n}@example.com")) for n in range(mails)]
    text = await h.send(purpose=Purpose.PROMOTIONAL, channel=Channel.SMS, to=Recipient(phone="+4915112345678"))
    await asyncio.gather(*(h.becomes(key, Status.SENT) for key in keys))
    await h.becomes(text, Status.BLOCKED)
    return [*keys, text]


@pytest.fixture
def plain() -> Callable[[int], Entry]:
    """A record without a personal part, told apart by its number."""

    def build(number: int, **fields: Any) -> Entry:
        return open_entry(ErasureRecord(at_ms=fields.get("at_ms", number), persons=(number,)), number)

    return build
