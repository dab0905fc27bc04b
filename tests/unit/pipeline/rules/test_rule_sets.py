"""Versions are made, activated, staged and rolled back in a running pipeline."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs
from tests.unit.pipeline.house import QUICK, RULES, House, house
from tests.unit.pipeline.rules.conftest import ANA, a_rule, closed_always, rule_file

from chappe.compliance.rule_sets.rollout import Rollout, Stage, bucket_of
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Outcome, Recipient, Status
from chappe.model.errors import Conflict, InvalidRules, RuleSetNotFound
from chappe.pipeline.rules.rule_sets import RuleSets
from chappe.pipeline.rules.starting import ActivationPolicy, stored_form
from chappe.records.rule_sets import ActivationKind, Origin

BLOCKING = rule_file(closed_always())


async def decided_by(h: House, **fields: object) -> tuple[Outcome, int]:
    stored = await h.becomes(await h.send(**fields), Status.SENT, Status.BLOCKED)
    decision = next(event.decision for event in stored.summary.events[::-1] if event.decision)
    return decision.outcome, decision.rule_set


async def test_the_first_start_stores_the_configured_rules_and_activates_them(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        (version,) = await h.records.rule_sets.versions(None, 10)
        assert (version.version, version.origin, version.rule_count) == (1, Origin.CONFIGURED, len(RULES.rules))
        active = h.pipeline.rule_sets.active
        assert (active.kind, active.in_force.version) == (ActivationKind.AUTOMATIC, 1)
        assert await decided_by(h) == (Outcome.ALLOW, 1)


async def test_a_version_decides_from_its_activation_on_until_it_is_rolled_back(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        rule_sets = h.pipeline.rule_sets
        created, _ = await rule_sets.create(BLOCKING, ANA)
        assert (created.version, await decided_by(h)) == (2, (Outcome.ALLOW, 1))
        await rule_sets.activate(2, ANA)
        assert await decided_by(h) == (Outcome.BLOCK, 2)
        await rule_sets.roll_back(ANA)
        assert await decided_by(h) == (Outcome.ALLOW, 1)
        kinds = [activation.kind for activation in await h.records.rule_sets.history(None, 10)]
        assert kinds == [ActivationKind.ROLLED_BACK, ActivationKind.ACTIVATED, ActivationKind.AUTOMATIC]


async def test_what_was_activated_survives_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.pipeline.rule_sets.create(BLOCKING, ANA)
        await h.pipeline.rule_sets.activate(2, ANA, Stage(2, percent=40))
        in_force = h.pipeline.rule_sets.active.in_force
    async with house(tmp_path) as h:
        assert h.pipeline.rule_sets.active.in_force == in_force
        assert isinstance(h.pipeline.context.rules, Rollout)
        assert len(await h.records.rule_sets.versions(None, 10)) == 2


async def test_a_stage_decides_for_its_part_of_the_people(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.pipeline.rule_sets.create(BLOCKING, ANA)
        await h.pipeline.rule_sets.activate(2, ANA, Stage(2, percent=50))
        someone = [Recipient(email=f"p{number}@example.com") for number in range(12)]
        expected = [(Outcome.BLOCK, 2) if bucket_of(to, 2) < 5_000 else (Outcome.ALLOW, 1) for to in someone]
        assert {outcome for outcome, _ in expected} == {Outcome.ALLOW, Outcome.BLOCK}
        for _ in range(2):
            assert [await decided_by(h, to=to) for to in someone] == expected
        await h.pipeline.rule_sets.activate(2, ANA)
        assert await decided_by(h, to=someone[expected.index((Outcome.ALLOW, 1))]) == (Outcome.BLOCK, 2)


async def test_a_stage_by_jurisdiction_decides_for_those_there(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.pipeline.rule_sets.create(BLOCKING, ANA)
        await h.pipeline.rule_sets.activate(2, ANA, Stage(2, ("EU",)))
        assert await decided_by(h, to=Recipient(email="ana@example.fr")) == (Outcome.BLOCK, 2)
        assert await decided_by(h, to=Recipient(email="ana@example.com")) == (Outcome.ALLOW, 1)


async def test_changes_are_made_on_a_base(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        rule_sets = h.pipeline.rule_sets
        gone, replaced = RULES.rules[0].id, RULES.rules[1].id
        changes = rule_file(a_rule("house-new"), a_rule(replaced, summary="Replaced."))
        created, _ = await rule_sets.create(changes, ANA, base=1, remove=[gone])
        assert (created.base, created.rule_count) == (1, len(RULES.rules))
        made = {rule.id: rule for rule in (await rule_sets.get(2)).rules}
        assert set(made) == {rule.id for rule in RULES.rules} - {gone} | {"house-new"}
        assert made[replaced].summary == "Replaced."


async def test_what_cannot_be_used_is_not_stored(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        rule_sets = h.pipeline.rule_sets
        with pytest.raises(InvalidRules) as refused:
            await rule_sets.create(rule_file(a_rule(severity="odd"), a_rule("b", condition="person.agee > 3")), ANA)
        problems = refused.value.details["problems"]
        assert isinstance(problems, list)
        assert [(problem["rule"], problem["field"]) for problem in problems] == [
            ("house-vip", "severity"),
            ("b", "condition"),
        ]
        with pytest.raises(InvalidRules, match="at least one rule"):
            await rule_sets.create("", ANA)
        with pytest.raises(Conflict, match="same as version 1"):
            await rule_sets.create("", ANA, base=1)
        with pytest.raises(RuleSetNotFound):
            await rule_sets.create(BLOCKING, ANA, base=9)
        assert len(await h.records.rule_sets.versions(None, 10)) == 1


async def test_what_is_in_force_already_or_does_not_exist_is_not_activated(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        rule_sets = h.pipeline.rule_sets
        await rule_sets.create(BLOCKING, ANA)
        with pytest.raises(RuleSetNotFound):
            await rule_sets.activate(3, ANA)
        with pytest.raises(Conflict, match="already"):
            await rule_sets.activate(1, ANA)
        with pytest.raises(Conflict, match="already"):
            await rule_sets.activate(1, ANA, Stage(1, percent=5))
        with pytest.raises(Conflict, match="no earlier"):
            await rule_sets.roll_back(ANA)
        assert len(await h.records.rule_sets.history(None, 10)) == 1
        assert await decided_by(h) == (Outcome.ALLOW, 1)


async def test_whoever_asked_may_go_away(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.pipeline.rule_sets.create(BLOCKING, ANA)
        asking = asyncio.create_task(h.pipeline.rule_sets.activate(2, ANA))
        await asyncio.sleep(0)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        while h.pipeline.rule_sets.active.in_force.version != 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert isinstance(h.pipeline.context.rules, RuleSet)
        assert h.pipeline.context.rules.version == 2


async def test_activations_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        rule_sets = h.pipeline.rule_sets
        for number in range(2, 7):
            await rule_sets.create(rule_file(closed_always(f"house-{number}")), ANA)
        await asyncio.gather(*(rule_sets.activate(number, ANA) for number in range(2, 7)))
        last = await h.records.rule_sets.last_activation()
        assert last == rule_sets.active
        assert isinstance(h.pipeline.context.rules, RuleSet)
        assert h.pipeline.context.rules.version == last.in_force.version


@pytest.mark.parametrize(
    ("policy", "by_hand", "version"),
    [
        (ActivationPolicy.AUTOMATIC, False, 2),
        (ActivationPolicy.AUTOMATIC, True, 1),
        (ActivationPolicy.ALWAYS, True, 3),
        (ActivationPolicy.NEVER, False, 1),
    ],
)
async def test_changed_configured_rules_come_into_force_by_the_policy(
    tmp_path: Path, policy: ActivationPolicy, by_hand: bool, version: int
) -> None:
    async with house(tmp_path) as h:
        if by_hand:
            await h.pipeline.rule_sets.create(BLOCKING, ANA)
            await h.pipeline.rule_sets.activate(2, ANA)
            await h.pipeline.rule_sets.roll_back(ANA)
    settings = msgspec.structs.replace(QUICK, activate_rules=policy)
    changed = RULES.rules[1:]
    for _ in range(2):
        async with house(tmp_path, settings=settings, start=False) as h:
            rule_sets = RuleSets(h.records.rule_sets, h.clock, lambda rules: None)
            with capture_logs() as logs:
                await rule_sets.start(changed, policy)
            assert rule_sets.active.in_force.version == version
            newest = await h.records.rule_sets.newest()
            assert newest is not None
            assert newest.rules == stored_form(changed)
            assert len(await h.records.rule_sets.versions(None, 10)) == 2 + by_hand
        told = [entry for entry in logs if entry["event"] == "rules_not_activated"]
        assert len(told) == (1 if version == 1 and _ == 0 else 0)


async def test_rules_survive_being_stored(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert (await h.pipeline.rule_sets.get(1)).rules == RULES.rules
