"""A message that a lane holds: received, checked, and waiting for or in an attempt."""

from __future__ import annotations

from dataclasses import dataclass

from chappe.pipeline.delivery.handing import AS_IT_IS, Handing
from chappe.pipeline.envelope import Envelope
from chappe.pipeline.verdicts.accounts import Verdict, account_of
from chappe.records.audit_pages import Entry
from chappe.records.steps import Transition


@dataclass(slots=True)
class Held:
    """`attempts` were made so far over all providers; `checked_at_ms` is when the rules last let it go.

    `reopened` says that the message had failed and was moved back from a dead-letter queue. `shown_again_at_ms` is
    when the queue will show the message to others, unless the lane extends it. `started` is the begin of the attempt
    under way, while it is not recorded yet. `cut_off` says that the last attempt ended with the process.
    `news` is the number of the newest `records.news.News` that the check has seen.
    `verdict` is what the rules said last, until it is in the audit log. `handing` is how they want it handed over.
    """

    key: int
    envelope: Envelope
    receipt: str
    sent_at_ms: int
    attempts: int
    checked_at_ms: int
    shown_again_at_ms: int
    reopened: bool = False
    cut_off: bool = False
    started: Transition | None = None
    verdict: Verdict | None = None
    handing: Handing = AS_IT_IS
    news: int = 0

    @property
    def attempts_of_this_life(self) -> int:
        """Those since the message was last moved back from a dead-letter queue."""
        return self.attempts - self.envelope.attempts_before


def account_of_held(held: Held) -> Entry | None:
    """The record of the verdict that lets the message go, or doesn't; each verdict is recorded once."""
    verdict, held.verdict = held.verdict, None
    return None if verdict is None else account_of(held.envelope.message, verdict)
