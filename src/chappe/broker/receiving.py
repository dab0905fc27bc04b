"""ReceiveMessage, and what a receiver does with what it got: DeleteMessage and ChangeMessageVisibility."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence

from chappe.broker.attributes import VISIBILITY_MAX_SECONDS, WAIT_MAX_SECONDS
from chappe.broker.batches import check_batch, failed
from chappe.broker.characters import is_identifier
from chappe.broker.directory import Call, Directory, FoundQueue
from chappe.broker.envelopes import Envelope, unpack
from chappe.broker.errors import MissingParameter, invalid_identifier, invalid_value
from chappe.broker.message_attributes import chosen, md5_of_attributes, names_anything, to_shapes
from chappe.broker.names import QueueName
from chappe.broker.receipts import ReceiptHandle, ReceiptHandles, explained
from chappe.broker.sending import SEQUENCE_BASE
from chappe.broker.shapes import (
    BatchResultErrorEntry,
    ChangeMessageVisibilityBatchInput,
    ChangeMessageVisibilityBatchOutput,
    ChangeMessageVisibilityBatchRequestEntry,
    ChangeMessageVisibilityBatchResultEntry,
    ChangeMessageVisibilityInput,
    DeleteMessageBatchInput,
    DeleteMessageBatchOutput,
    DeleteMessageBatchResultEntry,
    DeleteMessageInput,
    Message,
    ReceiveMessageInput,
    ReceiveMessageOutput,
)
from chappe.engine.base import Engine, ReceivedMessage
from chappe.model.errors import ChappeError, InFlightLimit, QueueNotFound

RECEIVE_MAX = 10
_RECEIVE_COUNT = "ApproximateReceiveCount"


class Receiver:
    def __init__(
        self, engine: Engine, directory: Directory, clock_ms: Callable[[], int], handles: ReceiptHandles
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._clock_ms = clock_ms
        self._handles = handles

    async def receive_message(self, call: Call, request: ReceiveMessageInput) -> ReceiveMessageOutput:
        """Take messages, waiting for the first if the request or the queue says so."""
        queue = await self._directory.find(call, request.queue_url)
        limit = _within("MaxNumberOfMessages", request.max_number_of_messages, 1, RECEIVE_MAX)
        visibility = _within("VisibilityTimeout", request.visibility_timeout, 0, VISIBILITY_MAX_SECONDS)
        wait = _within("WaitTimeSeconds", request.wait_time_seconds, 0, WAIT_MAX_SECONDS)
        _check_attempt_id(queue, request.receive_request_attempt_id)
        try:
            taken = await self._engine.receive(
                queue.engine_name,
                max_messages=1 if limit is None else limit,
                visibility_timeout_ms=None if visibility is None else visibility * 1000,
                wait_ms=queue.attributes.wait_ms if wait is None else wait * 1000,
                attempt_id=request.receive_request_attempt_id,
            )
        except InFlightLimit:
            raise InFlightLimit("The maximum number of in flight messages is reached.") from None
        if not taken:
            return ReceiveMessageOutput()
        system = {*(request.attribute_names or ()), *(request.message_system_attribute_names or ())}
        names = request.message_attribute_names or ()
        messages = [
            shaped(message, queue, system, names, self._handles.of(message.receipt, message.received_at_ms // 1000))
            for message in taken
        ]
        for shape, message in zip(messages, taken, strict=True):
            if shape.attributes is not None and message.dead_letter_source is not None:
                await self._count_on(shape.attributes, message.dead_letter_source)
        return ReceiveMessageOutput(messages=messages)

    async def _count_on(self, attributes: dict[str, str], source: str) -> None:
        """A dead letter counts on from its receives in the queue `source`, which are as many as that allows."""
        if _RECEIVE_COUNT not in attributes:
            return
        with contextlib.suppress(QueueNotFound):
            policy = (await self._engine.get_queue(source)).settings.dead_letter
            if policy is not None:
                attributes[_RECEIVE_COUNT] = str(int(attributes[_RECEIVE_COUNT]) + policy.max_receive_count)

    async def give_back(self, call: Call, request: ReceiveMessageInput, output: ReceiveMessageOutput) -> None:
        """Make messages visible again that could not be handed over, because the receiver has gone away.

        One that named its attempt may come back for them, so they are kept for it.
        """
        if output.messages and request.receive_request_attempt_id is None:
            queue = await self._directory.find(call, request.queue_url)
            receipts = [(self._handles.parse(message.receipt_handle).receipt, 0) for message in output.messages]
            await self._engine.change_visibility(queue.engine_name, receipts)

    async def delete_message(self, call: Call, request: DeleteMessageInput) -> None:
        queue = await self._directory.find(call, request.queue_url)
        handle = self._required_handle(request.receipt_handle)
        error = (await self._engine.delete(queue.engine_name, (handle.receipt,)))[0]
        if error is not None:
            raise explained(error, handle.text)

    async def delete_message_batch(self, call: Call, request: DeleteMessageBatchInput) -> DeleteMessageBatchOutput:
        queue = await self._directory.find(call, request.queue_url)
        entries = check_batch(request.entries, "DeleteMessageBatchRequestEntry")
        good: list[tuple[str, ReceiptHandle]] = []
        bad: list[BatchResultErrorEntry] = []
        for entry_id, entry in entries:
            try:
                good.append((entry_id, self._required_handle(entry.receipt_handle)))
            except ChappeError as error:
                bad.append(failed(entry_id, error))
        errors = await self._engine.delete(queue.engine_name, [h.receipt for _, h in good]) if good else []
        return DeleteMessageBatchOutput(
            successful=[DeleteMessageBatchResultEntry(id=each) for each in _done(good, errors, bad)], failed=bad or None
        )

    async def change_message_visibility(self, call: Call, request: ChangeMessageVisibilityInput) -> None:
        queue = await self._directory.find(call, request.queue_url)
        handle, timeout_ms = self._change(request)
        error = (await self._engine.change_visibility(queue.engine_name, ((handle.receipt, timeout_ms),)))[0]
        if error is not None:
            raise explained(error, handle.text)

    async def change_message_visibility_batch(
        self, call: Call, request: ChangeMessageVisibilityBatchInput
    ) -> ChangeMessageVisibilityBatchOutput:
        queue = await self._directory.find(call, request.queue_url)
        entries = check_batch(request.entries, "ChangeMessageVisibilityBatchRequestEntry")
        good: list[tuple[str, ReceiptHandle]] = []
        changes: list[tuple[str, int]] = []
        bad: list[BatchResultErrorEntry] = []
        for entry_id, entry in entries:
            try:
                handle, timeout_ms = self._change(entry)
                changes.append((handle.receipt, timeout_ms))
                good.append((entry_id, handle))
            except ChappeError as error:
                bad.append(failed(entry_id, error))
        errors = await self._engine.change_visibility(queue.engine_name, changes) if changes else []
        return ChangeMessageVisibilityBatchOutput(
            successful=[ChangeMessageVisibilityBatchResultEntry(id=each) for each in _done(good, errors, bad)],
            failed=bad or None,
        )

    def _change(
        self, request: ChangeMessageVisibilityInput | ChangeMessageVisibilityBatchRequestEntry
    ) -> tuple[ReceiptHandle, int]:
        """The handle, and for how many ms its message is to be invisible.

        That is twelve hours at most, counted from when the message was received.
        """
        seconds = request.visibility_timeout
        if request.receipt_handle is None:
            raise MissingParameter.named("ReceiptHandle")
        if seconds is None:
            raise MissingParameter.named("VisibilityTimeout")
        handle = self._handles.parse(request.receipt_handle)
        _within("VisibilityTimeout", seconds, 0, VISIBILITY_MAX_SECONDS)
        already = max(0, self._clock_ms() // 1000 - handle.received_at_seconds)
        if seconds > 0 and already + seconds > VISIBILITY_MAX_SECONDS:
            raise invalid_value(
                "VisibilityTimeout",
                seconds,
                f"Total VisibilityTimeout for the message is beyond the limit [{VISIBILITY_MAX_SECONDS} seconds]",
            )
        return handle, seconds * 1000

    def _required_handle(self, text: str | None) -> ReceiptHandle:
        if text is None:
            raise MissingParameter.named("ReceiptHandle")
        return self._handles.parse(text)


def shaped(
    message: ReceivedMessage, queue: FoundQueue, system: set[str], names: Sequence[str], receipt_handle: str
) -> Message:
    """A received message with the attributes asked for."""
    envelope = unpack(message.attributes)
    if envelope is None:
        body = message.body.decode(errors="replace")
        md5 = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    else:
        body = message.body.decode()
        md5 = envelope.body_md5.hex()
    shape = Message(
        message_id=message.id,
        receipt_handle=receipt_handle,
        md5_of_body=md5,
        body=body,
        attributes=(_system_attributes(message, envelope, queue, system) or None) if system else None,
    )
    stored = envelope.message_attributes if names and envelope is not None else None
    if stored and names_anything(names):
        wanted = chosen(stored, names)
        shape.message_attributes = to_shapes(wanted)
        if wanted:
            shape.md5_of_message_attributes = md5_of_attributes(wanted)
    return shape


def _system_attributes(
    message: ReceivedMessage, envelope: Envelope | None, queue: FoundQueue, asked: set[str]
) -> dict[str, str]:
    source = message.dead_letter_source
    origin = None if source is None else QueueName.from_engine(source)
    known = {
        "SenderId": None if envelope is None else envelope.sender_id,
        "SentTimestamp": str(message.sent_at_ms),
        _RECEIVE_COUNT: str(message.receive_count),
        "ApproximateFirstReceiveTimestamp": str(message.first_received_at_ms),
        "SequenceNumber": str(SEQUENCE_BASE + message.sequence) if queue.attributes.fifo else None,
        "MessageDeduplicationId": None if envelope is None else envelope.deduplication_id,
        "MessageGroupId": message.group,
        "AWSTraceHeader": None if envelope is None else envelope.trace_header,
        "DeadLetterQueueSourceArn": source if origin is None else origin.arn,
    }
    everything = "All" in asked
    return {name: value for name, value in known.items() if value is not None and (everything or name in asked)}


def _check_attempt_id(queue: FoundQueue, attempt_id: str | None) -> None:
    if attempt_id is None:
        return
    if not queue.attributes.fifo:
        reason = "The request include parameter that is not valid for this queue type."
        raise invalid_value("ReceiveRequestAttemptId", attempt_id, reason)
    if not is_identifier(attempt_id):
        raise invalid_identifier("ReceiveRequestAttemptId", attempt_id)


def _within(parameter: str, value: int | None, least: int, most: int) -> int | None:
    if value is None or least <= value <= most:
        return value
    if parameter == "MaxNumberOfMessages":
        raise invalid_value(parameter, value, f"Must be between {least} and {most}, if provided.")
    raise invalid_value(parameter, value, f"Must be >= {least} and <= {most}, if provided.")


def _done(
    good: Sequence[tuple[str, ReceiptHandle]],
    errors: Sequence[ChappeError | None],
    bad: list[BatchResultErrorEntry],
) -> list[str]:
    """The ids of the entries that the engine carried out; the others go to `bad`."""
    done = []
    for (entry_id, handle), error in zip(good, errors, strict=True):
        if error is None:
            done.append(entry_id)
        else:
            bad.append(failed(entry_id, explained(error, handle.text)))
    return done
