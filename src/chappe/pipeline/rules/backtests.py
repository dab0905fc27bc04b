"""Which of the decisions that were made would another version change?

Every recorded decision of a span of time is made again from what it was made from, and compared. A backtest runs beside
the server's work, in the slices that ordinary work gets, and keeps counts and a few examples, however many decisions
there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from enum import StrEnum

import msgspec
import structlog

from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Decision
from chappe.model.errors import BacktestNotFound, ChappeError, TooManyBacktests
from chappe.pipeline.background import Background, Pace
from chappe.pipeline.rules.comparing import Comparing, Comparison
from chappe.pipeline.verdicts.judging import decided
from chappe.pipeline.verdicts.recorded import RecordedDecision

RUNNING_MAX = 2
KEPT = 50
"""Backtests that are remembered, running ones included, until the server stops."""
_log = structlog.get_logger("chappe.rules")

Recorded = Callable[[int, int, Callable[[int], None]], AsyncGenerator[RecordedDecision, None]]
"""Recorded decisions made from the first moment until before the second, oldest first; the function is told how many
were passed over because their people have been erased since.
"""
Find = Callable[[int], Awaitable[RuleSet]]
"""The version of this number, compiled."""
_CAPS = (
    "the version counts messages against caps over a longer time than was looked up when the decisions were made: more "
    "may be deferred or blocked than is told here"
)
_REGISTRIES = (
    "the version asks registries that were not asked when the decisions were made, and takes them for unknown here"
)


class BacktestStatus(StrEnum):
    """How a backtest stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Span(msgspec.Struct, frozen=True):
    """From `since_ms` until before `until_ms`."""

    since_ms: int
    until_ms: int


class Backtest:
    """One backtest, running or ended. `against` None compares with the decisions as they were made."""

    def __init__(self, version: RuleSet, against: RuleSet | None, span: Span) -> None:
        self.id = f"bt_{secrets.token_hex(8)}"
        self.version = version
        self.against = against
        self.span = span
        self.status = BacktestStatus.RUNNING
        self.error = ""
        self._comparing = Comparing()
        self._reached_ms = span.since_ms
        self._warnings: dict[str, None] = {}
        self._erased = 0

    @property
    def progress(self) -> float:
        """How much of the span is done, from 0 to 1."""
        if self.status is BacktestStatus.DONE:
            return 1.0
        return (self._reached_ms - self.span.since_ms) / max(1, self.span.until_ms - self.span.since_ms)

    def result(self) -> Comparison:
        """What was found so far."""
        return self._comparing.result()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to keep in mind when reading the result."""
        if not self._erased:
            return tuple(self._warnings)
        many = "1 decision" if self._erased == 1 else f"{self._erased:,} decisions"
        return (*self._warnings, f"{many} about people who were erased since cannot be made again")

    async def run(self, recorded: Recorded, rule_set: Find, pace: Pace, limit: int | None = None) -> None:
        """Go through the decisions, at most `limit`. `rule_set` finds the versions that made them."""
        versions: set[int] = set()
        await pace.begin()
        span = self.span
        async with contextlib.aclosing(recorded(span.since_ms, span.until_ms, self._pass_over)) as decisions:
            async for made in decisions:
                if made.decision.rule_set not in versions:
                    versions.add(made.decision.rule_set)
                    await self._weigh(rule_set, made.decision.rule_set)
                await pace.pause()
                self._take(made)
                if limit is not None and self._comparing.decisions >= limit:
                    self._warnings[f"only the first {limit} decisions were looked at"] = None
                    return

    def _pass_over(self, erased: int) -> None:
        self._erased += erased

    async def _weigh(self, rule_set: Find, version: int) -> None:
        """Facts were gathered for the version that decided; another one may ask for more."""
        try:
            then = await rule_set(version)
        except ChappeError:
            self._warnings[f"version {version}, which made some of the decisions, cannot be read any more"] = None
            return
        if self.version.longest_cap_window_ms > then.longest_cap_window_ms:
            self._warnings[_CAPS] = None
        if _registries(self.version) - _registries(then):
            self._warnings[_REGISTRIES] = None

    def _take(self, made: RecordedDecision) -> None:
        self._reached_ms = max(self._reached_ms, made.now_ms)
        before = made.decision if self.against is None else self._decided(self.against, made)
        after = self._decided(self.version, made)
        self._comparing.add(made.message, made.facts.jurisdiction, made.now_ms, before, after)

    def _decided(self, rules: RuleSet, made: RecordedDecision) -> Decision:
        return decided(rules, made.message, made.facts, made.now_ms)


class Backtests:
    """Runs backtests and remembers them. Use from one event loop."""

    def __init__(self, recorded: Recorded, rule_set: Find, background: Background) -> None:
        self._recorded = recorded
        self._rule_set = rule_set
        self._background = background
        self._known: OrderedDict[str, Backtest] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, version: RuleSet, against: RuleSet | None, span: Span) -> Backtest:
        """Start one. Raises `TooManyBacktests`."""
        if len(self._tasks) >= RUNNING_MAX:
            raise TooManyBacktests(f"{RUNNING_MAX} backtests are running; wait for one or cancel one.")
        backtest = Backtest(version, against, span)
        self._known[backtest.id] = backtest
        while len(self._known) > KEPT:
            self._known.pop(next(name for name in self._known if name not in self._tasks))
        task = asyncio.create_task(self._run(backtest), name=f"backtest {backtest.id}")
        self._tasks[backtest.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(backtest.id, None))
        return backtest

    def get(self, backtest_id: str) -> Backtest:
        """Raises `BacktestNotFound`."""
        try:
            return self._known[backtest_id]
        except KeyError:
            raise BacktestNotFound(
                f"There is no backtest {backtest_id!r}; those of before a restart, and old ones, are forgotten.",
                id=backtest_id,
            ) from None

    async def cancel(self, backtest_id: str) -> Backtest:
        """End one that runs; its result so far stays. Raises `BacktestNotFound`."""
        backtest = self.get(backtest_id)
        task = self._tasks.get(backtest_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if backtest.status is BacktestStatus.RUNNING:  # it had not begun
                backtest.status = BacktestStatus.CANCELLED
        return backtest

    async def dry_run(self, version: RuleSet, span: Span, limit: int) -> Backtest:
        """A small one, carried out while the caller waits."""
        backtest = Backtest(version, None, span)
        await backtest.run(self._recorded, self._rule_set, Pace(self._background, urgent=False), limit)
        backtest.status = BacktestStatus.DONE
        return backtest

    async def stop(self) -> None:
        """Cancel what runs."""
        for backtest_id in list(self._tasks):
            await self.cancel(backtest_id)

    async def _run(self, backtest: Backtest) -> None:
        try:
            await backtest.run(self._recorded, self._rule_set, Pace(self._background, urgent=False))
            backtest.status = BacktestStatus.DONE
        except asyncio.CancelledError:
            backtest.status = BacktestStatus.CANCELLED
            raise
        except ChappeError as error:
            backtest.status, backtest.error = BacktestStatus.FAILED, error.message
        except Exception:  # noqa: BLE001 (a defect is logged, and the backtest ends)
            backtest.status, backtest.error = BacktestStatus.FAILED, "the server failed; its log says more"
            _log.exception("backtest_failed", id=backtest.id)


def _registries(rules: RuleSet) -> set[str]:
    return {name for rule in rules.rules for name in rule.registries}
