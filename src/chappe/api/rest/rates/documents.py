"""The documents of measurements of how messages fare."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.pipeline.acceptance.request import Moment


class RateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measurement, for rules that stop sending while a rate is too high."""

    metric: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9_]{0,63}$", description="What was measured, as rules call it: `spam_complaint_rate`."
        ),
    ]
    value: Annotated[float, Meta(ge=0, le=1, description="The part of messages, 0 to 1: 0.003 is three in a thousand.")]
    at: Annotated[Moment | None, Meta(description="The moment it stands for, if not now; not in the future.")] = None
    sender: Annotated[
        Annotated[str, Meta(min_length=1, max_length=320)] | None,
        Meta(description="Of messages whose `from` is this; without it of all messages."),
    ] = None
    source: Annotated[Annotated[str, Meta(max_length=500)], Meta(description="Where it was got, for people.")] = ""


class RateView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measurement on record. `asked_for_by` are the rules in force that decide by this metric."""

    id: str
    metric: str
    value: float
    at: datetime
    asked_for_by: list[str]
    sender: str | None = None
    source: str = ""


class RatesView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page."""

    rates: list[RateView]
    next_cursor: str | None = None
