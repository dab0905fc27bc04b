from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.conformance.clocks import ManualClock

from chappe.model.errors import Conflict, RuleSetNotFound
from chappe.records.rule_sets import ActivationKind, Author, InForce, Origin, StagedPart, VersionSummary
from chappe.records.store import Records

ANA = Author("key-1", "ana", "because")


async def add(records: Records, rules: str = "[1]", base: int | None = None) -> VersionSummary:
    return await records.rule_sets.add(rules, 1, origin=Origin.CREATED, base=base, at_ms=5, author=ANA)


async def activate(records: Records, state: InForce, kind: ActivationKind = ActivationKind.ACTIVATED) -> int:
    activation = await records.rule_sets.activate(kind, lambda _: state, at_ms=7, author=ANA)
    return activation.id


async def test_versions_are_numbered_and_kept_as_they_are(records: Records) -> None:
    first, second = await add(records, "[1]"), await add(records, "[2]")
    assert (first.version, second.version) == (1, 2)
    stored = await records.rule_sets.get(1)
    assert (stored.summary, stored.rules) == (first, "[1]")
    assert await records.rule_sets.versions(None, 10) == [second, first]
    assert await records.rule_sets.versions(2, 10) == [first]


async def test_the_same_again_is_refused(records: Records) -> None:
    await add(records, "[1]")
    await add(records, "[2]")
    with pytest.raises(Conflict, match="same as version 2"):
        await add(records, "[2]")
    with pytest.raises(Conflict, match="same as version 1"):
        await add(records, "[1]", base=1)
    assert (await add(records, "[1]")).version == 3


async def test_versions_made_at_once_get_numbers_of_their_own(records: Records) -> None:
    made = await asyncio.gather(*(add(records, f"[{number}]") for number in range(20)))
    assert sorted(summary.version for summary in made) == list(range(1, 21))


async def test_the_newest_of_an_origin(records: Records) -> None:
    await records.rule_sets.add("[0]", 1, origin=Origin.CONFIGURED, base=None, at_ms=5, author=ANA)
    await add(records, "[1]")
    newest, configured = await records.rule_sets.newest(), await records.rule_sets.newest(Origin.CONFIGURED)
    assert newest is not None
    assert configured is not None
    assert (newest.summary.version, configured.summary.version) == (2, 1)


async def test_what_is_in_force_is_what_was_activated_last(records: Records) -> None:
    assert await records.rule_sets.last_activation() is None
    for rules in ("[1]", "[2]"):
        await add(records, rules)
    staged = InForce(1, StagedPart(2, ("EU", "US-FL"), 12.5))
    await activate(records, InForce(1), ActivationKind.AUTOMATIC)
    assert not await records.rule_sets.chosen_by_hand()
    await activate(records, staged, ActivationKind.STAGED)
    assert await records.rule_sets.chosen_by_hand()
    last = await records.rule_sets.last_activation()
    assert last is not None
    assert (last.in_force, last.kind, last.author, last.at_ms) == (staged, ActivationKind.STAGED, ANA, 7)
    assert [activation.in_force for activation in await records.rule_sets.history(None, 10)] == [staged, InForce(1)]


async def test_a_version_that_does_not_exist_cannot_be_in_force(records: Records) -> None:
    await add(records)
    for state in (InForce(2), InForce(1, StagedPart(2, (), 50))):
        with pytest.raises(RuleSetNotFound):
            await activate(records, state)
    assert await records.rule_sets.last_activation() is None


async def test_rolling_back_goes_one_further_back_each_time(records: Records) -> None:
    for number in (1, 2, 3):
        await add(records, f"[{number}]")
        await activate(records, InForce(number))
    await activate(records, InForce(3, StagedPart(1, (), 10)))
    seen = [await records.rule_sets.roll_back(at_ms=9, author=ANA) for _ in range(3)]
    assert [activation.in_force for activation in seen] == [InForce(3), InForce(2), InForce(1)]
    with pytest.raises(Conflict, match="no earlier activation"):
        await records.rule_sets.roll_back(at_ms=9, author=ANA)
    await activate(records, InForce(3))
    assert (await records.rule_sets.roll_back(at_ms=9, author=ANA)).in_force == InForce(1)


async def test_history_survives_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    for _ in range(2):
        records = await Records.open(tmp_path, now_ms=clock)
        newest = await records.rule_sets.newest()
        version = (await add(records, f"[{0 if newest is None else newest.summary.version}]")).version
        await activate(records, InForce(version))
        await records.close()
    records = await Records.open(tmp_path, now_ms=clock)
    assert [activation.in_force.version for activation in await records.rule_sets.history(None, 10)] == [2, 1]
    await records.close()
