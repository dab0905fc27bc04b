"""A backtest tells what another version would have changed, no more and no less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from tests.unit.pipeline.house import House, eventually, house
from tests.unit.pipeline.rules.conftest import ANA, a_rule, closed_always, rule_file

from chappe.model.customer import Content, Outcome, Recipient, Status
from chappe.model.errors import BacktestNotFound, TooManyBacktests
from chappe.pipeline.background import Background
from chappe.pipeline.rules.backtests import RUNNING_MAX, Backtest, Backtests, BacktestStatus, Span
from chappe.pipeline.verdicts.recorded import RecordedDecision

DAY_MS = 24 * 3_600_000
FRENCH = '\'recipient.country == "FR" && message.content.text.contains("offer")\''


async def some_decisions(h: House) -> None:
    """Six to France, two of them with the word, and four elsewhere, two of them with the word."""
    keys = [
        await h.send(to=Recipient(email=f"p{number}@example.{end}"), content=Content(text=text))
        for number, (end, text) in enumerate(
            [("fr", "an offer")] * 2 + [("fr", "a code")] * 4 + [("com", "an offer")] * 2 + [("com", "a code")] * 2
        )
    ]
    for key in keys:
        await h.becomes(key, Status.SENT)


async def ended(h: House, backtest: Backtest) -> Backtest:
    await eventually(lambda: backtest.status is not BacktestStatus.RUNNING)
    assert backtest.error == ""
    return backtest


async def test_exactly_the_decisions_that_would_change_are_found(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await some_decisions(h)
        await h.pipeline.rule_sets.create(rule_file(closed_always("fr-offers", condition=FRENCH)), ANA, base=1)
        version = await h.pipeline.rule_sets.get(2)
        span = Span(h.clock() - DAY_MS, h.clock() + 1)
        backtest = await ended(h, h.pipeline.backtests.begin(version, None, span))
        found = backtest.result()
        assert (backtest.status, backtest.progress, backtest.warnings) == (BacktestStatus.DONE, 1.0, ())
        assert (found.decisions, found.changed) == (10, 2)
        assert [(entry.before, entry.after, entry.count) for entry in found.by_outcome] == [
            (Outcome.ALLOW, Outcome.BLOCK, 2)
        ]
        assert [(entry.id, entry.before, entry.after, entry.count) for entry in found.by_rule] == [
            ("fr-offers", "-", "block", 2)
        ]
        assert {place.jurisdiction: (place.decisions, place.changed) for place in found.by_jurisdiction} == {
            "FR": (6, 2),
            None: (4, 0),
        }
        assert len(found.examples) == 2
        same = await ended(h, h.pipeline.backtests.begin(await h.pipeline.rule_sets.get(1), None, span))
        assert (same.result().decisions, same.result().changed) == (10, 0)


async def test_two_versions_can_be_compared_over_what_was_decided(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await some_decisions(h)
        rule_sets = h.pipeline.rule_sets
        await rule_sets.create(rule_file(closed_always("offers", condition=FRENCH)), ANA)
        await rule_sets.create(rule_file(closed_always("all")), ANA)
        span = Span(h.clock() - DAY_MS, h.clock() + 1)
        begun = h.pipeline.backtests.begin(await rule_sets.get(3), await rule_sets.get(2), span)
        found = (await ended(h, begun)).result()
        assert (found.decisions, found.changed) == (10, 8)


async def test_only_the_span_is_looked_at(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await some_decisions(h)
        later = h.clock() + 1
        version = await h.pipeline.rule_sets.get(1)
        begun = h.pipeline.backtests.begin(version, None, Span(later, later + DAY_MS))
        assert (await ended(h, begun)).result().decisions == 0


async def test_a_dry_run_looks_at_a_bounded_number(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await some_decisions(h)
        version = await h.pipeline.rule_sets.get(1)
        dry = await h.pipeline.backtests.dry_run(version, Span(0, h.clock() + 1), 3)
        assert dry.result().decisions == 3
        assert "only the first 3" in dry.warnings[0]


async def test_facts_that_were_not_gathered_are_warned_of(tmp_path: Path) -> None:
    cap = a_rule(
        "house-cap",
        kind="frequency_cap",
        parameters="{caps: [{limit: 100, per: 8784h}]}",
        action="defer",
    )
    async with house(tmp_path) as h:
        await some_decisions(h)
        await h.pipeline.rule_sets.create(rule_file(cap), ANA)
        version = await h.pipeline.rule_sets.get(2)
        begun = h.pipeline.backtests.begin(version, None, Span(0, h.clock() + 1))
        assert "longer time" in (await ended(h, begun)).warnings[0]


async def test_decisions_about_people_who_were_erased_are_told_of(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.becomes(await h.send(to=Recipient(email="ana@example.com")), Status.SENT)
        await h.becomes(await h.send(to=Recipient(email="bo@example.com")), Status.SENT)
        await h.audit.recorder.erase("email:ana@example.com", h.clock())
        begun = h.pipeline.backtests.begin(await h.pipeline.rule_sets.get(1), None, Span(0, h.clock() + 1))
        ended_one = await ended(h, begun)
        assert ended_one.result().decisions == 1
        assert ended_one.warnings == ("1 decision about people who were erased since cannot be made again",)


async def endless(
    since_ms: int, until_ms: int, passed_over: Callable[[int], None]
) -> AsyncGenerator[RecordedDecision, None]:
    await asyncio.Event().wait()
    yield  # type: ignore[misc]


async def failing(
    since_ms: int, until_ms: int, passed_over: Callable[[int], None]
) -> AsyncGenerator[RecordedDecision, None]:
    raise OSError
    yield


async def test_backtests_are_bounded_cancelled_and_forgotten(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        version = await h.pipeline.rule_sets.get(1)
        backtests = Backtests(endless, h.pipeline.rule_sets.get, Background())
        running = [backtests.begin(version, None, Span(0, 1)) for _ in range(RUNNING_MAX)]
        with pytest.raises(TooManyBacktests):
            backtests.begin(version, None, Span(0, 1))
        assert (await backtests.cancel(running[0].id)).status is BacktestStatus.CANCELLED
        backtests.begin(version, None, Span(0, 1))
        await backtests.stop()
        assert running[1].status is BacktestStatus.CANCELLED
        with pytest.raises(BacktestNotFound):
            backtests.get("bt_0")


async def test_a_defect_ends_the_backtest_and_nothing_else(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        backtests = Backtests(failing, h.pipeline.rule_sets.get, Background())
        begun = backtests.begin(await h.pipeline.rule_sets.get(1), None, Span(0, 1))
        await eventually(lambda: begun.status is BacktestStatus.FAILED)
        assert "log" in begun.error
