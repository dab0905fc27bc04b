"""The end of a request: a signed receipt, in one commit with its place in the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chappe.observe.audit.record import DataRequestRecord
from chappe.observe.audit.recording import open_entry
from chappe.pipeline.rights.receipts import Kept, Package, Receipt, digest_of, moment, signed
from chappe.records import ids
from chappe.records.audit_pages import Entry
from chappe.records.data_requests import DataRequest, RequestKind, RequestState, Subject
from chappe.records.store import Records

DAY_MS = 86_400_000
_AGAIN_MS = 90 * DAY_MS
_log = structlog.get_logger("chappe.rights")


async def finish(
    records: Records,
    key: Ed25519PrivateKey,
    request: DataRequest,
    state: RequestState,
    now_ms: int,
    *,
    kept: Sequence[Kept] = (),
    package: Package | None = None,
    package_until_ms: int | None = None,
    left: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Record that a request is done, or held as far as a legal hold goes, with a receipt that `key` signs.

    `kept` is what a law keeps, as the receipt says it, and `left` the addresses of which something is kept until when.
    """
    receipt = signed(_receipt(records, request, state, now_ms, kept, package), key)
    subject, again_at_ms = request.subject, None
    if request.kind is RequestKind.ERASE and state is RequestState.DONE:
        subject = msgspec.structs.replace(subject, person=None, digests=_digests(records, subject))
        subject, again_at_ms = still_left(subject, left, now_ms)
    await records.data_requests.change(
        request.key,
        account_of_request(request.key, request.kind, state.value, now_ms, digest_of(receipt)),
        state=state.value,
        subject=subject,
        receipt=receipt,
        completed_at_ms=None if state is RequestState.HELD else now_ms,
        package_until_ms=package_until_ms,
        again_at_ms=again_at_ms,
    )
    _log.info("data_request_carried_out", id=ids.key_text(ids.DATA_REQUEST, request.key), state=state.value)


def account_of_request(key: int, kind: RequestKind, state: str, now_ms: int, receipt: str | None = None) -> Entry:
    """What the audit log is told of a request; `receipt` is the digest of one."""
    text = ids.key_text(ids.DATA_REQUEST, key)
    record = DataRequestRecord(at_ms=now_ms, request=text, right=kind.value, state=state, receipt=receipt)
    return open_entry(record, now_ms)


def still_left(subject: Subject, left: Mapping[str, int], now_ms: int) -> tuple[Subject, int | None]:
    """The subject with only those addresses of which something is left, and when to look at them again."""
    places = {to: place for to, place in zip(subject.recipients, subject.places, strict=True) if to in left}
    reduced = msgspec.structs.replace(subject, recipients=tuple(places), places=tuple(places.values()))
    if not left:
        return msgspec.structs.replace(reduced, relationship_ended_ms=None), None
    # A period that begins with the end of a relationship has no end yet; it is asked for again.
    return reduced, min(max(min(left.values()), now_ms + DAY_MS), now_ms + _AGAIN_MS)


def _receipt(
    records: Records,
    request: DataRequest,
    state: RequestState,
    now_ms: int,
    kept: Sequence[Kept],
    package: Package | None,
) -> Receipt:
    received, at = moment(request.received_at_ms), moment(now_ms)
    assert received is not None
    assert at is not None
    return Receipt(
        request=ids.key_text(ids.DATA_REQUEST, request.key),
        right=request.kind.value,
        state=state.value,
        person=request.digest.hex(),
        addresses=_digests(records, request.subject),
        received_at=received,
        at=at,
        due_at=moment(request.due_at_ms),
        jurisdictions=tuple(dict.fromkeys(place for place in request.subject.places if place)),
        rules=request.terms.rules,
        done=dict(request.progress),
        kept=tuple(kept),
        package=package,
    )


def _digests(records: Records, subject: Subject) -> tuple[str, ...]:
    return tuple(records.erased.digest(recipient).hex() for recipient in subject.recipients)
