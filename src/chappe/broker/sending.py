"""SendMessage and SendMessageBatch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from chappe.broker.attributes import DELAY_MAX_SECONDS, MESSAGE_MAX_BYTES
from chappe.broker.batches import check_batch, failed
from chappe.broker.characters import ALLOWED_SET, forbidden_character, is_identifier
from chappe.broker.directory import Call, Directory, FoundQueue
from chappe.broker.envelopes import pack
from chappe.broker.errors import (
    BatchTooLong,
    InvalidMessageContents,
    InvalidParameterValue,
    MissingParameter,
    invalid_identifier,
    invalid_value,
)
from chappe.broker.message_attributes import (
    check_message_attributes,
    check_trace_header,
    md5_of_attributes,
    md5_of_trace_header,
    size_bytes,
    stated_size_bytes,
)
from chappe.broker.shapes import (
    BatchResultErrorEntry,
    SendMessageBatchInput,
    SendMessageBatchOutput,
    SendMessageBatchRequestEntry,
    SendMessageBatchResultEntry,
    SendMessageInput,
    SendMessageOutput,
)
from chappe.engine.base import Engine, NewMessage, SentMessage
from chappe.model.errors import ChappeError

SEQUENCE_BASE = 10**19
"""Added to the engine's sequence, so that the number has the twenty digits AWS gives."""

Sendable = SendMessageInput | SendMessageBatchRequestEntry


class Prepared(msgspec.Struct, frozen=True):
    """A message that passed every check, and the checksums its sender is told."""

    message: NewMessage
    body_md5: str
    attributes_md5: str | None
    trace_md5: str | None


class Sender:
    def __init__(self, engine: Engine, directory: Directory) -> None:
        self._engine = engine
        self._directory = directory

    async def send_message(self, call: Call, request: SendMessageInput) -> SendMessageOutput:
        queue = await self._directory.find(call, request.queue_url)
        if queue.attributes.fifo and request.message_group_id is None:
            raise MissingParameter.named("MessageGroupId")
        prepared = prepare(queue, request, call.principal.access_key_id)
        sent = (await self._engine.send(queue.engine_name, (prepared.message,)))[0]
        return SendMessageOutput(
            md5_of_message_body=prepared.body_md5,
            md5_of_message_attributes=prepared.attributes_md5,
            md5_of_message_system_attributes=prepared.trace_md5,
            message_id=sent.id,
            sequence_number=str(SEQUENCE_BASE + sent.sequence) if queue.attributes.fifo else None,
        )

    async def send_message_batch(self, call: Call, request: SendMessageBatchInput) -> SendMessageBatchOutput:
        """Each good entry is sent, all in one commit; each bad one is reported."""
        queue = await self._directory.find(call, request.queue_url)
        entries = check_batch(request.entries, "SendMessageBatchRequestEntry")
        _check_batch_size(entries)
        if queue.attributes.fifo and any(entry.message_group_id is None for _, entry in entries):
            raise InvalidParameterValue("The request must contain the parameter MessageGroupId.")
        good: list[tuple[str, Prepared]] = []
        bad: list[BatchResultErrorEntry] = []
        for number, (entry_id, entry) in enumerate(entries, 1):
            try:
                if not entry.message_body:
                    raise MissingParameter.named(f"SendMessageBatchRequestEntry.{number}.MessageBody")
                good.append((entry_id, prepare(queue, entry, call.principal.access_key_id)))
            except DeduplicationIdMissing:
                raise
            except ChappeError as error:
                bad.append(failed(entry_id, error))
        sent = await self._engine.send(queue.engine_name, [p.message for _, p in good]) if good else []
        return SendMessageBatchOutput(
            successful=[
                _result(queue, entry_id, prepared, message)
                for (entry_id, prepared), message in zip(good, sent, strict=True)
            ],
            failed=bad or None,
        )


class DeduplicationIdMissing(InvalidParameterValue):
    """Neither an id nor a queue that takes the body for one. A batch with such an entry fails as a whole."""


def prepare(queue: FoundQueue, entry: Sendable, sender_id: str) -> Prepared:
    """Check a message against its queue and put it into the engine's form."""
    attributes = queue.attributes
    text = entry.message_body
    if not text:
        raise MissingParameter.named("MessageBody")
    body = text.encode()
    total = len(body)
    typed = attributes_md5 = trace = trace_md5 = None
    if entry.message_attributes:
        typed = check_message_attributes(entry.message_attributes)
        attributes_md5 = md5_of_attributes(typed)
        total += size_bytes(typed)
    if entry.message_system_attributes:
        trace = check_trace_header(entry.message_system_attributes)
        trace_md5 = None if trace is None else md5_of_trace_header(trace)
    if total > attributes.message_max_bytes:
        raise _too_long(entry, attributes.message_max_bytes)
    bad = forbidden_character(body)
    if bad is not None:
        raise InvalidMessageContents(
            f"Invalid binary character '{bad}' was found in the message body, "
            f"the set of allowed characters is {ALLOWED_SET}"
        )
    group = entry.message_group_id
    if group is not None and not is_identifier(group):
        raise invalid_identifier("MessageGroupId", group)
    deduplication_id = _deduplication_id(queue, entry, body)
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    message = NewMessage(
        body=body,
        attributes=pack(digest, sender_id, deduplication_id, trace, typed),
        group=group,
        deduplication_key=None
        if deduplication_id is None
        else _deduplication_key(queue, group or "", deduplication_id),
        delay_ms=None if entry.delay_seconds is None else _delay_ms(queue, entry.delay_seconds),
    )
    return Prepared(message, digest.hex(), attributes_md5, trace_md5)


def _too_long(entry: Sendable, most_bytes: int) -> InvalidParameterValue:
    """Of an entry of a batch the service says it in other words."""
    fault = "are invalid" if isinstance(entry, SendMessageInput) else "cannot be validated"
    return InvalidParameterValue(
        f"One or more parameters {fault}. Reason: Message must be shorter than {most_bytes} bytes."
    )


def _delay_ms(queue: FoundQueue, seconds: int) -> int | None:
    if queue.attributes.fifo:
        if seconds == 0:
            return None
        raise invalid_value(
            "DelaySeconds", seconds, "The request include parameter that is not valid for this queue type."
        )
    if not 0 <= seconds <= DELAY_MAX_SECONDS:
        raise invalid_value("DelaySeconds", seconds, f"DelaySeconds must be >= 0 and <= {DELAY_MAX_SECONDS}.")
    return seconds * 1000


def _deduplication_id(queue: FoundQueue, entry: Sendable, body: bytes) -> str | None:
    given = entry.message_deduplication_id
    if not queue.attributes.fifo:
        if given is not None:
            raise invalid_value(
                "MessageDeduplicationId",
                given,
                "The request includes a parameter that is not valid for this queue type.",
            )
        return None
    if given is not None:
        if not is_identifier(given):
            raise invalid_identifier("MessageDeduplicationId", given)
        return given
    if not queue.attributes.content_based_deduplication:
        raise DeduplicationIdMissing(
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    return hashlib.sha256(body).hexdigest()


def _deduplication_key(queue: FoundQueue, group: str, deduplication_id: str) -> bytes:
    """A digest, because ids are longer than the engine's keys. Neither id nor group can contain a space."""
    scope = group if queue.attributes.deduplication_by_group else ""
    return hashlib.sha256(f"{scope} {deduplication_id}".encode()).digest()


def _check_batch_size(entries: Sequence[tuple[str, SendMessageBatchRequestEntry]]) -> None:
    total = sum(
        len((entry.message_body or "").encode())
        + (stated_size_bytes(entry.message_attributes) if entry.message_attributes else 0)
        for _, entry in entries
    )
    if total > MESSAGE_MAX_BYTES:
        raise BatchTooLong(
            f"Batch requests cannot be longer than {MESSAGE_MAX_BYTES} bytes. You have sent {total} bytes."
        )


def _result(queue: FoundQueue, entry_id: str, prepared: Prepared, sent: SentMessage) -> SendMessageBatchResultEntry:
    return SendMessageBatchResultEntry(
        id=entry_id,
        message_id=sent.id,
        md5_of_message_body=prepared.body_md5,
        md5_of_message_attributes=prepared.attributes_md5,
        md5_of_message_system_attributes=prepared.trace_md5,
        sequence_number=str(SEQUENCE_BASE + sent.sequence) if queue.attributes.fifo else None,
    )
