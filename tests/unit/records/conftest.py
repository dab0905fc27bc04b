"""Records on a fresh folder, and builders of what goes into them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.clocks import ManualClock

from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient, Status
from chappe.records import ids
from chappe.records.messages import NewMessages
from chappe.records.steps import Transition
from chappe.records.store import Records
from chappe.records.timeline import Event


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def records(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Records]:
    opened = await Records.open(tmp_path, now_ms=clock)
    yield opened
    await opened.close()


@pytest.fixture
def add(clock: ManualClock) -> Callable[..., Any]:
    """Stores one message and gives its key."""

    async def store(records: Records, **fields: Any) -> int:
        key = records.keys.next()
        defaults: dict[str, Any] = {
            "id": ids.key_text(ids.MESSAGE, key),
            "to": Recipient(email="ana@example.com"),
            "channel": Channel.EMAIL,
            "purpose": Purpose.TRANSACTIONAL,
            "content": Content(text="hello"),
            "created_at_ms": ids.created_at_ms(key),
        }
        new = NewMessages()
        new.append(key, CustomerMessage(**(defaults | fields)), Event(at_ms=clock(), status=Status.ACCEPTED))
        await records.messages.add(new, urgent=True)
        return key

    return store


@pytest.fixture
def step(clock: ManualClock) -> Callable[..., Transition]:
    """A transition to a status."""

    def build(key: int, status: Status, **fields: Any) -> Transition:
        event = {name: fields.pop(name) for name in list(fields) if name in Event.__struct_fields__}
        return Transition(key, Event(**({"at_ms": clock(), "status": status} | event)), **fields)

    return build
