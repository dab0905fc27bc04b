"""Which registries are asked for a message, and that a new version counts for the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from tests.unit.pipeline.house import House, house, request

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import AppliesTo, Confidence, Severity, StandingRule
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, CustomerMessage, Outcome, Purpose, Recipient, RuleOutcome, Status
from chappe.model.registry import RegistryKind
from chappe.records.registries.building import Mode
from chappe.records.registries.layout import Form
from chappe.records.registries.registry_records import Registry
from chappe.records.registries.store import ListImport

LISTED, OTHER = Recipient(phone="+12025550101"), Recipient(phone="+12025550102")
BERLIN = Recipient(phone="+4930901820")
DNC = Registry("us-national-dnc", "US National DNC", RegistryKind.DO_NOT_CALL, "US", Form.NUMBERS, 0)
asked_for: list[tuple[str, ...]] = []


class NotListed(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="not_listed"):
    """Stops messages to those whom a registry lists, or of whom it does not know."""

    @property
    def registries(self) -> tuple[str, ...]:
        return (DNC.id, "elsewhere")

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked_for.append(tuple(answer.registry for answer in facts.registries))
        return self.kept("not listed") if facts.registries[0].listed is False else self.broken("listed, or unknown")


RULE = NotListed(
    id="not-listed",
    jurisdiction="US",
    regulation="a test",
    citation="a test",
    channels=("sms",),
    applies_to=AppliesTo.PROMOTIONAL,
    severity=Severity.LOW,
    summary="a test",
    source="a test",
    confidence=Confidence.HOUSE,
)


async def import_list(h: House, text: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield text

    await h.records.registries.records.create(DNC)
    started = await h.records.registries.start_import(DNC, ListImport(mode=Mode.FULL, as_of_ms=5), chunks())
    async with asyncio.timeout(60):
        while not started.ended:  # noqa: ASYNC110 (an import is asked how it stands, as users do)
            await asyncio.sleep(0.01)
    assert started.version, started


async def decided(h: House, to: Recipient, purpose: Purpose = Purpose.PROMOTIONAL) -> Outcome:
    asked = request(to=to, channel=Channel.SMS, purpose=purpose)
    return (await h.pipeline.evaluate(asked)).decision.outcome


async def test_only_registries_that_a_rule_of_the_place_asks_for_are_asked(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.pipeline.context.rules = RuleSet([RULE])  # type: ignore[list-item]
        asked_for.clear()
        assert await decided(h, BERLIN) is Outcome.ALLOW
        assert await decided(h, LISTED, Purpose.TRANSACTIONAL) is Outcome.ALLOW
        assert asked_for == []
        assert await decided(h, LISTED) is Outcome.BLOCK, "nothing is known before the first import"
        assert asked_for == [(DNC.id, "elsewhere")]


async def test_a_new_version_counts_for_the_next_message(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.pipeline.context.rules = RuleSet([RULE])  # type: ignore[list-item]
        await import_list(h, b"number\n+12025550101\n")
        assert [await decided(h, to) for to in (LISTED, OTHER)] == [Outcome.BLOCK, Outcome.ALLOW]
        send = {"channel": Channel.SMS, "purpose": Purpose.PROMOTIONAL}
        await h.becomes(await h.send(to=LISTED, **send), Status.BLOCKED)
        await h.becomes(await h.send(to=OTHER, **send), Status.SENT)
        await import_list(h, b"number\n+12025550102\n")
        await h.becomes(await h.send(to=LISTED, **send), Status.SENT)
        await h.becomes(await h.send(to=OTHER, **send), Status.BLOCKED)
