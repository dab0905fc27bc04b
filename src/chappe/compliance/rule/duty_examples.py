"""Examples beside the duty rules: a record and its history, or a request, and what the rule says of it at a moment."""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec

from chappe.compliance.rule.record_kinds import RecordKind, Subject
from chappe.model.customer import Channel, Purpose

Verdict = Literal["keep", "delete", "free", "undefined", "due", "overdue", "wanted"]
"""What a duty comes to.

`keep`: the record must still be kept. `delete`: it may be kept no longer. `free`: the rule does not say. `undefined`:
it may not be kept without a stated period. `due`, `overdue`: the request has to be dealt with, or should have been.
`wanted`: such a record has to be made.
"""


class DutyExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One case. Days are taken as they begin in UTC.

    For a record: `record`, when it was `made` and what followed. For a request: when it was `received`, whether it was
    `acknowledged`, and whether the time was `extended`. `complaint` is one about a message. `due` is the day by which
    something is to be done, or from which a record need not be kept, or may not be.
    """

    says: Verdict
    why: str
    at: datetime.date
    channel: Channel | None = None
    purpose: Purpose | None = None
    record: RecordKind | None = None
    subject: Subject = Subject.ANYONE
    made: datetime.date | None = None
    last_used: datetime.date | None = None
    last_sent: datetime.date | None = None
    last_contact: datetime.date | None = None
    relationship_ended: datetime.date | None = None
    retention_days: int | None = None
    received: datetime.date | None = None
    acknowledged: bool = True
    extended: bool = False
    complaint: str | None = None
    due: datetime.date | None = None
