"""What a record of the audit log says, in JSON: an open part for all, a personal part under the key of the person."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from chappe.model.customer import Decision, Recipient


class Stage(StrEnum):
    """When in the life of a message it was decided."""

    INTAKE = "intake"
    """After it was accepted, or when the time came to which it had been deferred."""
    ATTEMPT = "attempt"
    """Before it was handed to a provider: what is known may have changed while it waited."""


class DecisionRecord(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="decision"):
    """The open part of a decision. `person` names the key of the personal part (records/person_keys.py).

    Reasons name no address and quote nothing that the personal part holds. `declared` is the purpose that the sender
    declared, where the content said otherwise.
    """

    message: str
    at_ms: int
    stage: Stage
    channel: str
    purpose: str
    decision: Decision
    person: int
    jurisdiction: str | None = None
    category: str | None = None
    declared: str | None = None


class WrittenDecision(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="decision"):
    """A `DecisionRecord` to be encoded, whose decision is JSON already: the same fields in the same order."""

    message: str
    at_ms: int
    stage: Stage
    channel: str
    purpose: str
    decision: msgspec.Raw
    person: int
    jurisdiction: str | None = None
    category: str | None = None
    declared: str | None = None


class ErasureRecord(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="erasure"):
    """The keys of these persons were deleted."""

    at_ms: int
    persons: tuple[int, ...]


class HoldRecord(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="hold"):
    """A legal hold began or was released."""

    at_ms: int
    hold: str
    jurisdiction: str
    released: bool = False
    reason: str | None = None


class RetentionRecord(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="retention"):
    """Records of a file were dropped at the end of their retention; their hashes stay.

    `first` and `last` are those of the file. `dropped` counts all records that are gone from it now, and `digest` is
    the SHA-256, in hexadecimal digits, of their numbers, 8 bytes each, big endian, ascending.
    """

    at_ms: int
    first: int
    last: int
    dropped: int
    digest: str


class DataRequestRecord(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="data_request"):
    """A person's request about their data came in, was extended, or was carried out as far as `state` says.

    `right` is what was asked, `receipt` the SHA-256 of the signed receipt, in hexadecimal digits.
    """

    at_ms: int
    request: str
    right: str
    state: str
    receipt: str | None = None


AnyRecord: TypeAlias = DecisionRecord | ErasureRecord | HoldRecord | RetentionRecord | DataRequestRecord


class PersonalPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """The personal part of a decision.

    `message` and `facts` are what the rules were asked about, as JSON. A check before an attempt keeps the message
    without its content, which the record of its intake holds. `reasons` are those that the open part could not quote in
    full, by the number of the rule among the decision's.
    """

    to: Recipient
    message: msgspec.Raw
    facts: msgspec.Raw
    content_left_out: bool = False
    reasons: dict[int, str] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyRecord)
_personal_decoder = msgspec.json.Decoder(PersonalPart)


def encode(part: AnyRecord | WrittenDecision | PersonalPart) -> bytes:
    """The bytes that are hashed or encrypted."""
    return _encoder.encode(part)


def decode_open(content: bytes) -> AnyRecord:
    """The open part of these bytes. Raises `ValueError`."""
    record: AnyRecord = _decoder.decode(content)
    return record


def decode_personal(content: bytes) -> PersonalPart:
    """The personal part of these bytes. Raises `ValueError`."""
    return _personal_decoder.decode(content)
