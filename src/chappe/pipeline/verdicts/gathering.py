"""What messages of the pipeline are decided from: facts that are fresh still, or else what the records say."""

from __future__ import annotations

from collections.abc import Sequence

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule_sets.rollout import Rules
from chappe.model.customer import CustomerMessage, Status
from chappe.pipeline.context import Context
from chappe.pipeline.verdicts.fresh_facts import UNTRIED, Mark
from chappe.pipeline.verdicts.looking_up import look_up
from chappe.records.knowledge import Known

Gathered = tuple[Known, Facts | None, Mark | None]
"""What is known; the facts of it, if they are there already, and how much had changed when they were read."""


async def gather(
    context: Context,
    asked: Sequence[tuple[CustomerMessage, int]],
    recipients: Sequence[str],
    rules: Rules,
    now_ms: int,
    *,
    stage: Status,
    urgent: bool,
) -> list[Gathered]:
    """One for each message and its key, in order. `recipients` are their `recipient_text`.

    `stage` is how far messages have come of which there are fresh facts. Caps are decided at intake and counted there:
    only with `accepted` earlier messages to the recipients are looked at.
    """
    capped = stage is Status.ACCEPTED
    gathered: list[Gathered | None] = []
    unknown = []
    for entry, recipient in zip(asked, recipients, strict=True):
        fresh = context.fresh.take(entry[1], recipient, rules, now_ms, capped=capped)
        gathered.append(None if fresh is None else (UNTRIED[stage], *fresh))
        if fresh is None:
            unknown.append(entry)
    if not unknown:
        return [found for found in gathered if found is not None]
    looked_up = iter(await look_up(context.records, unknown, rules, now_ms, urgent=urgent, capped=capped))
    return [(next(looked_up), None, None) if found is None else found for found in gathered]
