"""Recorded decisions, read back as what they were made from: to decide again, by other rules, what was decided then."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from chappe.compliance.facts import Facts
from chappe.model.customer import CustomerMessage, Decision
from chappe.observe.audit.record import Stage
from chappe.pipeline.context import Context


class RecordedDecision(msgspec.Struct, frozen=True):
    """A decision as it was made: the same rules, asked about `message`, `facts` and `now_ms`, say `decision` again.

    `number` is its place in the audit log.
    """

    number: int
    stage: Stage
    message: CustomerMessage
    facts: Facts
    now_ms: int
    decision: Decision


async def recorded_decisions(
    context: Context, since_ms: int, until_ms: int, *, stage: Stage | None = Stage.INTAKE
) -> AsyncIterator[RecordedDecision]:
    """Decisions made from `since_ms` until before `until_ms`, in the order of the log.

    `stage` None asks for those of both stages. Reads in pieces of bounded size. Decisions about people who were erased
    since, and those that were dropped at the end of their retention, are passed over.
    """
    raise NotImplementedError
    yield
