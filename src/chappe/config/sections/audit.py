"""[audit]: how the audit log is kept."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.observe.audit import log as audit_log
from chappe.observe.audit.retention import RetentionPolicy


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the audit log is kept."""

    retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=36_525,
            description="How long decisions are kept, unless `retention` says otherwise. Five years outlast the limits "
            "for claims in most places. What is older leaves its hash, so that the rest can still be verified.",
        ),
    ] = 1_826
    retention: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?=[1-9][0-9]{0,4}$")], ...],
        Meta(
            description='How many days decisions under a jurisdiction are kept, such as `["DE=1096", "US-CA=1826"]`. '
            "A region without an entry goes by its country's."
        ),
    ] = ()
    checkpoint_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=86_400,
            description="How often the log is signed. What has been signed cannot be changed or cut off unnoticed.",
        ),
    ] = 60.0
    segment_records: Annotated[
        int,
        Meta(
            ge=1_000,
            le=4_000_000,
            description="Records are moved from the database into files when so many have come together, or at the end "
            "of the day (UTC). Needs the extra `chappe[audit]`; without it they stay in the database.",
        ),
    ] = 131_072

    @property
    def days_by_place(self) -> dict[str, int]:
        """`retention` as days by jurisdiction."""
        return {place: int(days) for place, days in (entry.split("=") for entry in self.retention)}

    @property
    def log_settings(self) -> audit_log.AuditSettings:
        """The same for the audit log."""
        policy = RetentionPolicy(self.retention_days, self.days_by_place)
        return audit_log.AuditSettings(policy, self.checkpoint_seconds, self.segment_records)
