"""[retention]: how long records are kept besides the audit log."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.pipeline import retention

_Days = Annotated[int, Meta(ge=1, le=36_525)]


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long records are kept besides the audit log. Without a value they are kept for good.

    What a rule in force asks to be kept (`retention_min`, `record_keeping`) is kept at least as long, and so is what a
    legal hold covers. Requests to stop and suppressions are never removed by age: the objections in them still hold.
    """

    messages_days: Annotated[
        _Days | None, Meta(description="Messages that have come to an end, with their timelines and contents.")
    ] = None
    contents_days: Annotated[
        _Days | None, Meta(description="What messages said; the rest stays, without subject, text, data and metadata.")
    ] = None
    inbound_days: Annotated[_Days | None, Meta(description="Texts that people sent.")] = None
    consents_days: Annotated[
        _Days | None,
        Meta(description="Entries of consent records that have expired, or were followed by another about the same."),
    ] = None

    def for_pipeline(self) -> retention.RetentionSettings:
        """The same for the pipeline."""
        return retention.RetentionSettings(**msgspec.structs.asdict(self))
