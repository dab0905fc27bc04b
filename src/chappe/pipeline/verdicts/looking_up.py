"""Looking up what is known before messages are decided.

What has to be looked up depends on where the recipient is: which registries are asked, how far back messages are
counted. Where a person's profile says otherwise than the address, that is known only after the first look-up; only such
messages are looked up a second time.
"""

from __future__ import annotations

from collections.abc import Sequence

from chappe.compliance.places.locating import locate
from chappe.compliance.rule_sets.rollout import Rules
from chappe.model.customer import CustomerMessage
from chappe.pipeline.verdicts.known import capped_subject_of, subject_of
from chappe.pipeline.verdicts.person import whereabouts
from chappe.records.knowledge import Known
from chappe.records.store import Records

Asked = tuple[CustomerMessage, int | None]
"""A message, and its key if it is stored."""


async def look_up(
    records: Records, asked: Sequence[Asked], rules: Rules, now_ms: int, *, urgent: bool, capped: bool = True
) -> list[Known]:
    """What is known for each message, in order; without `capped`, frequency caps are left aside."""
    subject = capped_subject_of if capped else subject_of
    subjects = [subject(message, key, rules, now_ms, locate(message.to)) for message, key in asked]
    found = await records.look_up(subjects, urgent=urgent)
    again = {}
    for number, known in enumerate(found):
        if known.person is not None and known.person.profile is not None:
            message, key = asked[number]
            better = subject(message, key, rules, now_ms, whereabouts(message.to, known.person))
            if better != subjects[number]:
                again[number] = better
    if again:
        for number, known in zip(again, await records.look_up(list(again.values()), urgent=urgent), strict=True):
            found[number] = known
    return found
