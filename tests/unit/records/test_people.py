from __future__ import annotations

import asyncio

import pytest
from tests.conformance.clocks import ManualClock

from chappe.model.customer import Channel, Purpose, Recipient
from chappe.model.errors import NotFound
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.store import Records

ANA = Recipient(email="ana@example.com")


def suppression(records: Records, **fields: object) -> SuppressionRecord:
    defaults = {"to": ANA, "channel": None, "purpose": None, "reason": "asked", "created_at_ms": 1}
    return SuppressionRecord(key=records.keys.next(), **(defaults | fields))  # type: ignore[arg-type]


async def test_a_suppression_is_added_once(records: Records) -> None:
    first = suppression(records)
    assert await records.people.add_suppression(first) == (first, True)
    assert await records.people.add_suppression(suppression(records, reason="again")) == (first, False)
    narrower = suppression(records, channel=Channel.EMAIL, purpose=Purpose.PROMOTIONAL)
    assert await records.people.add_suppression(narrower) == (narrower, True)
    assert await records.people.list_suppressions(ANA, None, 10) == [narrower, first]


async def test_the_same_suppression_at_the_same_time(records: Records) -> None:
    outcomes = await asyncio.gather(*(records.people.add_suppression(suppression(records)) for _ in range(20)))
    assert [new for _, new in outcomes].count(True) == 1
    assert len({record.key for record, _ in outcomes}) == 1


async def test_lifting_a_suppression(records: Records) -> None:
    record = suppression(records)
    await records.people.add_suppression(record)
    await records.people.remove_suppression(record.key)
    assert await records.people.list_suppressions(None, None, 10) == []
    with pytest.raises(NotFound):
        await records.people.remove_suppression(record.key)


async def test_consents_are_only_added(records: Records, clock: ManualClock) -> None:
    entries = [
        ConsentRecord(
            records.keys.next(), ANA, Channel.EMAIL, Purpose.PROMOTIONAL, granted, clock(), "express", "form", "shop", 9
        )
        for granted in (True, False, True)
    ]
    for entry in entries:
        await records.people.add_consents([entry])
    assert await records.people.list_consents(ANA, None, 10) == entries[::-1]
    assert await records.people.list_consents(None, entries[2].key, 1) == [entries[1]]
    assert await records.people.list_consents(Recipient(user="ana@example.com"), None, 10) == []


async def test_no_consents_are_no_write(records: Records) -> None:
    await records.people.add_consents([])
    assert await records.people.list_consents(None, None, 10) == []
