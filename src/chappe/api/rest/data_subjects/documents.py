"""The documents about what people ask about their data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chappe.api.rest.presenting import moment, moment_or_none
from chappe.pipeline.acceptance.request import Moment
from chappe.records import ids
from chappe.records.data_requests import DataRequest, RequestKind, RequestState

_Note = Annotated[str, Meta(max_length=2_000)]


class RightRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a person's request; nothing need be said."""

    received_at: Annotated[
        Moment | None, Meta(description="When the person asked, if not now: deadlines are counted from it.")
    ] = None
    note: Annotated[_Note | None, Meta(description="For the record; kept with the request.")] = None


class ExtensionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That a request takes longer, and what the person was told of why."""

    reason: Annotated[str, Meta(min_length=1, max_length=2_000)]


class DataRequestView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request about a person's data, and how it stands.

    `held` means that a legal hold keeps part of it from being done; it goes on when the hold is released. `done` counts
    what has been removed, or what a copy holds.
    """

    id: str
    right: RequestKind
    state: RequestState
    person: str | None = None
    received_at: datetime
    acknowledge_by: datetime | None = None
    due_at: datetime | None = None
    overdue: bool = False
    extendable_to: datetime | None = None
    extended_because: str | None = None
    rules: tuple[str, ...] = ()
    note: str | None = None
    asked_by: str = ""
    done: dict[str, int] = {}
    completed_at: datetime | None = None
    has_receipt: bool = False
    package_until: datetime | None = None


class DataRequestsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    requests: list[DataRequestView]
    next_cursor: str | None = None


class KeptView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was not erased, and why: the rules or legal holds that ask for it."""

    what: str
    count: int
    why: str
    until: datetime | None = None
    rules: tuple[str, ...] = ()


class ReceiptView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was done, signed with the key of the audit log (Ed25519, over the JSON with its keys in order, without
    spaces and without `signature`). `person` and `addresses` are keyed digests.
    """

    request: str
    right: RequestKind
    state: RequestState
    person: str
    addresses: tuple[str, ...]
    received_at: datetime
    at: datetime
    due_at: datetime | None = None
    jurisdictions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    done: dict[str, int] = {}
    kept: tuple[KeptView, ...] = ()
    package: dict[str, Any] | None = None
    signed_by: str
    signature: str


def data_request_view(request: DataRequest, now_ms: int) -> DataRequestView:
    """A request as shown."""
    terms = request.terms
    return DataRequestView(
        id=ids.key_text(ids.DATA_REQUEST, request.key),
        right=request.kind,
        state=request.state,
        person=request.subject.person,
        received_at=moment(request.received_at_ms),
        acknowledge_by=moment_or_none(terms.acknowledge_by_ms),
        due_at=moment_or_none(request.due_at_ms),
        overdue=request.is_overdue(now_ms),
        extendable_to=moment_or_none(terms.extendable_to_ms),
        extended_because=terms.extended_because,
        rules=terms.rules,
        note=request.note,
        asked_by=request.asked_by,
        done=dict(request.progress),
        completed_at=moment_or_none(request.completed_at_ms),
        has_receipt=request.receipt is not None,
        package_until=moment_or_none(request.package_until_ms),
    )
