"""What must be kept although its owner asks for erasure, by the rules in force, and how a receipt tells it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chappe.compliance.rule.record_kinds import History, RecordKind
from chappe.compliance.rule_sets.duties import FOR_GOOD_MS, Duties, Keeping
from chappe.model.customer import Channel, Purpose
from chappe.pipeline.rights.receipts import Kept, moment

BY_LAW = "a rule asks for it to be kept"
BY_HOLD = "a legal hold covers it"
QUEUED = "copies in queues of messages that are gone: dropped when their time comes, never sent"


class Obligations:
    """Asks the duties about the records of one address."""

    def __init__(self, duties: Duties, place: str | None, relationship_ended_ms: int | None, now_ms: int) -> None:
        self._duties = duties
        self._place = place
        self._ended_ms = relationship_ended_ms
        self._now_ms = now_ms

    def of(
        self,
        kind: RecordKind,
        made_ms: int,
        *,
        used_ms: int | None = None,
        channel: Channel | None = None,
        purpose: Purpose | None = None,
    ) -> Keeping | None:
        """How long a record must be kept still; None if it need not be."""
        history = History(made_ms, used_ms, used_ms, used_ms, self._ended_ms)
        keeping = self._duties.keeping(self._place, kind, history, self._now_ms, channel=channel, purpose=purpose)
        return keeping if keeping.must_keep(self._now_ms) else None


class Tally:
    """What is kept, counted by what it is and why."""

    def __init__(self) -> None:
        self._next_ms: int | None = None
        self._kept: dict[tuple[str, str, tuple[str, ...]], tuple[int, int]] = {}

    def add(self, what: str, why: str, until_ms: int | None = None, rules: Iterable[str] = (), count: int = 1) -> None:
        """Note that records are kept."""
        key = (what, why, tuple(rules))
        counted, latest_ms = self._kept.get(key, (0, 0))
        self._kept[key] = (counted + count, max(latest_ms, until_ms or 0))

    def by_law(self, what: str, keeping: Keeping) -> None:
        """Note that a rule asks for a record."""
        until_ms = keeping.until_ms or FOR_GOOD_MS
        self._next_ms = until_ms if self._next_ms is None else min(self._next_ms, until_ms)
        self.add(what, BY_LAW, keeping.until_ms, keeping.rules)

    def take_next_ms(self) -> int | None:
        """When the first of what rules keep may go, of all noted since this was last asked; None without any."""
        next_ms, self._next_ms = self._next_ms, None
        return next_ms

    def result(self) -> tuple[Kept, ...]:
        """As a receipt tells it."""
        return tuple(
            msgspec.structs.replace(
                Kept(what, count, why, rules=rules), until=moment(until_ms) if 0 < until_ms < FOR_GOOD_MS else None
            )
            for (what, why, rules), (count, until_ms) in sorted(self._kept.items())
        )
