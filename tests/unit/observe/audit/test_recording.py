"""Every binding decision is on record, with what it was made from, and nothing personal in the open."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.clocks import RunningClock
from tests.unit.observe.audit.conftest import decide_some
from tests.unit.pipeline.house import House, house, request

from chappe.model.customer import Channel, Content, Outcome, Purpose, Recipient, Status
from chappe.model.errors import DataDamaged
from chappe.observe.audit.finding import DecisionFilter
from chappe.observe.audit.persons import Wrapping
from chappe.observe.audit.record import DecisionRecord, ErasureRecord, Stage, decode_open
from chappe.observe.audit.recording import NOT_QUOTED, Recorder, open_entry
from chappe.observe.audit.segments import StoredRecord
from chappe.observe.audit.storage import AuditStorage
from chappe.pipeline.verdicts.recorded import RecordedDecision, recorded_decisions
from chappe.records.audit import append_within
from chappe.records.people import ConsentRecord, SuppressionRecord
from chappe.records.person_keys import StoredKey
from chappe.records.store import Records

FOREVER_MS = 10**15


def stored(folder: Path) -> list[StoredRecord]:
    with AuditStorage(folder) as storage:
        return [record for piece in storage.stretches() for record in piece]


def decisions(folder: Path) -> list[DecisionRecord]:
    said = [decode_open(record.open_part or b"") for record in stored(folder)]
    return [record for record in said if isinstance(record, DecisionRecord)]


async def recorded(h: House, stage: Stage | None = None) -> list[RecordedDecision]:
    return [decision async for decision in recorded_decisions(h.pipeline.context, 0, FOREVER_MS, stage=stage)]


async def test_a_message_is_decided_at_intake_and_before_its_attempt(home: House, tmp_path: Path) -> None:
    found = decisions(tmp_path)
    assert sorted((d.stage, d.decision.outcome) for d in found) == [
        (Stage.ATTEMPT, Outcome.ALLOW),
        (Stage.ATTEMPT, Outcome.ALLOW),
        (Stage.ATTEMPT, Outcome.ALLOW),
        (Stage.INTAKE, Outcome.ALLOW),
        (Stage.INTAKE, Outcome.ALLOW),
        (Stage.INTAKE, Outcome.ALLOW),
        (Stage.INTAKE, Outcome.BLOCK),
    ]
    assert {d.jurisdiction for d in found if d.channel == "sms"} == {"DE"}


async def test_the_status_and_its_account_are_of_one_commit(home: House, tmp_path: Path) -> None:
    """What the timeline says was decided is what the log says, word for word."""
    for decision in decisions(tmp_path):
        if decision.stage is Stage.INTAKE:
            key = int(decision.message[4:], 16)
            events = (await home.stored(key)).summary.events
            assert decision.decision in [event.decision for event in events]


async def test_the_rules_say_again_what_they_said_when_asked_with_what_is_on_record(home: House) -> None:
    found = await recorded(home)
    assert len(found) == 7
    for decision in found:
        assert (
            home.pipeline.context.rules.decide(decision.message, decision.facts, decision.now_ms) == decision.decision
        )


async def test_recorded_decisions_are_those_between_the_moments(home: House, clock: RunningClock) -> None:
    now_ms = clock()
    assert not [d async for d in recorded_decisions(home.pipeline.context, now_ms + 1, FOREVER_MS)]
    assert len([d async for d in recorded_decisions(home.pipeline.context, 0, now_ms + 1)]) == 4


async def test_nothing_personal_stands_in_the_open(home: House, tmp_path: Path, clock: RunningClock) -> None:
    to = Recipient(email="erika.mustermann@example.com")
    await home.records.people.add_suppression(
        SuppressionRecord(
            home.records.keys.next(), to, None, None, "Erika wrote from erika.mustermann@example.com", clock()
        )
    )
    await home.records.people.add_consents(
        [
            ConsentRecord(
                home.records.keys.next(), to, None, Purpose.PROMOTIONAL, True, clock(), proof="form signed E.M."
            )
        ]
    )
    key = await home.send(to=to, content=Content(subject="About Erika", text="Dear Erika, your diagnosis"))
    await home.becomes(key, Status.BLOCKED)
    newest = stored(tmp_path)[-1]
    everything = (newest.open_part or b"") + (newest.personal_part or b"")
    for secret in (b"erika", b"Erika", b"diagnosis", b"E.M."):
        assert secret not in everything
    assert NOT_QUOTED in (newest.open_part or b"").decode()
    (decision,) = [d for d in await recorded(home) if d.message.to == to]
    assert any("Erika wrote from erika.mustermann@example.com" in rule.reason for rule in decision.decision.rules)


async def test_erasing_a_person_makes_what_is_personal_unreadable_and_nothing_else(home: House, tmp_path: Path) -> None:
    before = stored(tmp_path)
    erased = await home.audit.recorder.erase("email:person1@example.com", home.clock())
    assert len(erased) == 1
    assert stored(tmp_path)[: len(before)] == before
    last = decode_open(stored(tmp_path)[-1].open_part or b"")
    assert isinstance(last, ErasureRecord)
    assert last.persons == tuple(erased)
    left = await recorded(home)
    assert len(left) == 5
    assert all(decision.message.to.email != "person1@example.com" for decision in left)
    (found, *_) = (await home.audit.find(DecisionFilter(), 50)).decisions
    assert found.record.message


async def test_a_person_who_is_written_to_again_gets_a_new_key(home: House, tmp_path: Path) -> None:
    await home.audit.recorder.erase("email:person1@example.com", home.clock())
    key = await home.send(to=Recipient(email="person1@example.com"))
    await home.becomes(key, Status.SENT)
    mine = [d for d in await recorded(home) if d.message.to.email == "person1@example.com"]
    assert len(mine) == 2
    persons = {d.person for d in decisions(tmp_path) if d.message == mine[0].message.id}
    assert len(persons) == 1


async def test_what_is_under_way_during_an_erasure_does_not_bring_the_key_back(tmp_path: Path) -> None:
    async with house(tmp_path, start=False) as h:
        recorder = h.audit.recorder
        key = (await recorder.persons(["email:a@example.com"]))["email:a@example.com"]
        assert not key.stored
        await recorder.erase("email:a@example.com", h.clock())
        assert key.stored  # nobody brings it along any more
        assert await h.records.audit.keys_of(["email:a@example.com"]) == [None]


async def test_keys_in_the_database_are_of_no_use_without_the_secret(home: House, tmp_path: Path) -> None:
    (found, *_) = (await home.audit.find(DecisionFilter(), 1)).decisions
    stranger = Recorder(home.records, b"x" * 32)
    with AuditStorage(tmp_path) as storage, pytest.raises(DataDamaged, match="server-secret"):
        stranger.opened(storage.read, [(found.record.person, found.personal_part)])


async def test_keys_survive_a_restart_and_nobody_gets_a_second_one(tmp_path: Path, clock: RunningClock) -> None:
    async with house(tmp_path, clock=clock) as h:
        await decide_some(h)
    async with house(tmp_path, clock=clock) as h:
        await decide_some(h)
        assert len({d.person for d in decisions(tmp_path)}) == 4
        assert len(await recorded(h)) == 14


async def test_a_changed_key_is_reported(tmp_path: Path) -> None:
    wrapping = Wrapping(b"w" * 32)
    key = wrapping.new(5, "email:a@example.com")
    good = StoredKey(5, "email:a@example.com", key.wrapped)
    assert wrapping.opened(good).person == 5
    with pytest.raises(DataDamaged, match="person 6"):
        wrapping.opened(StoredKey(6, "email:a@example.com", key.wrapped))


async def test_a_question_is_not_on_record(home: House, tmp_path: Path) -> None:
    before = len(stored(tmp_path))
    await home.pipeline.evaluate(request(channel=Channel.EMAIL))
    assert len(stored(tmp_path)) == before


async def test_a_commit_that_fails_leaves_neither_status_nor_account(tmp_path: Path, clock: RunningClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    try:

        def fails(connection: object) -> None:
            append_within(connection, [open_entry(ErasureRecord(at_ms=1, persons=()), 1)])  # type: ignore[arg-type]
            raise DataDamaged("on purpose")

        with pytest.raises(DataDamaged):
            await records._commits.run(fails)
        assert stored(tmp_path) == []
        await records.audit.append([open_entry(ErasureRecord(at_ms=1, persons=()), 1)])
        assert [record.number for record in stored(tmp_path)] == [0]
    finally:
        await records.close()
