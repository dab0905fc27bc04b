"""The engine contract: what a durable queue promises, for every engine.

The docstrings here are the specification; tests/conformance holds each engine to them.

Vocabulary
    An engine stores *queues* of *messages*. A message's body and attributes are opaque bytes. Queue names are opaque
    strings of 1 to 256 characters. Every duration and instant is an integer number of milliseconds; instants count
    from the Unix epoch and come from the clock the engine was given.

Durability
    When `send`, `delete`, `change_visibility`, `move`, `purge` or an operation on a queue returns, its effect is on
    stable storage: it survives the process being killed and the machine losing power. When it raises, nothing of it
    happened, except `StorageFailed`, after which the effect may or may not be found following a restart (the caller
    was not promised either way). A `receive` is recorded in the same stream without being waited for: after a crash
    a message may be visible earlier than its timeout said, and its receive count may lack the receives of the last
    commit, but counts once observed on stable storage never fall.

Delivery
    At least once. A message is *delayed* until its delay has passed, then *ready*; `receive` makes it *in flight*
    until its visibility timeout ends, when it is ready again; `delete` ends it. A message whose retention has passed
    is never received and vanishes. Standard queues deliver roughly in the order in which messages became ready: no
    message starves while the queue is being drained.

Fairness
    In a standard queue, messages with the same `group` belong to one tenant, and those without one to a tenant of their
    own. A receive takes each message from the ready tenant with the fewest messages in flight, among equals from the
    one served longest ago. What this costs does not depend on the length of the backlog.

FIFO queues
    Messages of one `group` are delivered strictly in the order sent. While a message of a group is in flight, no
    message of that group sent after it is received; other groups flow, and so do messages of the group sent before it
    that have become visible again. One receive may take several consecutive messages of one group. `delay_ms` comes
    from the queue alone. Within five minutes (`DEDUPLICATION_WINDOW_MS`) after a send was accepted, another with the
    same `deduplication_key` is answered with the first one's id and sequence, `duplicate` set, and stores nothing; this
    holds across restarts and after the first message was deleted.

Receive attempts
    Who did not get the answer to a receive from a FIFO queue may ask for it again. For five minutes
    (`ATTEMPT_WINDOW_MS`) after a receive that took messages, another one with the same `attempt_id` gives those
    messages once more, with the receipts and counts they had, and makes them invisible for `visibility_timeout_ms` from
    now. It does so only if nothing happened to any of them meanwhile but that a visibility timeout ended: none was
    deleted, moved, received by another receive, made visible sooner or later, or has vanished. Otherwise, and after a
    purge or a restart, the attempt is forgotten and the receive is like any other.

Dead letters
    With a `DeadLetterPolicy`, a message that has already been received `max_receive_count` times is not received
    again but moved, in one commit, to the end of the policy's queue, keeping its id, body, attributes and group and
    naming where it came from in `dead_letter_source`. Its receive count starts again at 0. In a standard queue it keeps
    its `sent_at_ms`, so its retention is still counted from the original send; in a FIFO queue it gets a new one. If
    the policy's queue does not exist, the message stays and is received as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from chappe.model.errors import ChappeError

DEDUPLICATION_WINDOW_MS = 300_000
ATTEMPT_WINDOW_MS = 300_000
MAX_RECEIVE = 1000
"""The largest `max_messages` of one receive and the most messages of one send."""


class DeadLetterPolicy(msgspec.Struct, frozen=True):
    """Where messages go after `max_receive_count` (>= 1) receives without a delete."""

    queue: str
    max_receive_count: int


class QueueSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a queue behaves. `fifo` is fixed at creation; the rest may be replaced by `set_queue`.

    `retention_ms` None keeps messages until they are deleted. `max_in_flight` bounds received, undeleted messages.
    `attributes` belongs to the caller: the engine stores it and does not read it.
    """

    fifo: bool = False
    delay_ms: int = 0
    visibility_timeout_ms: int = 30_000
    retention_ms: int | None = 345_600_000
    max_in_flight: int = 120_000
    dead_letter: DeadLetterPolicy | None = None
    attributes: dict[str, str] = {}


class QueueInfo(msgspec.Struct, frozen=True):
    name: str
    settings: QueueSettings
    created_at_ms: int
    modified_at_ms: int


class QueueCounts(msgspec.Struct, frozen=True):
    """Messages by state. Approximate while messages expire or fall due; exact in a queue at rest."""

    ready: int
    in_flight: int
    delayed: int


class NewMessage(msgspec.Struct, frozen=True):
    """A message to store.

    `group` is required in a FIFO queue; in a standard queue it names the tenant for fairness and implies no order.
    `deduplication_key` (FIFO only, 1 to 64 bytes) identifies duplicates; its scope is the whole queue, so a caller
    who wants a narrower scope puts the group into the key. `delay_ms` None means the queue's delay.
    `dead_letter_source` is for callers who move dead letters by themselves: the queue the message came from.
    """

    body: bytes
    attributes: bytes = b""
    group: str | None = None
    deduplication_key: bytes | None = None
    delay_ms: int | None = None
    dead_letter_source: str | None = None


class SentMessage(msgspec.Struct, frozen=True):
    """`id` is a UUID string. `sequence` grows with each message of a queue and is never used twice."""

    id: str
    sequence: int
    duplicate: bool = False


class ReceivedMessage(msgspec.Struct, frozen=True):
    """One delivery. `receipt` (ASCII, at most 200 characters) names it in `delete` and `change_visibility`.

    `received_at_ms` is when it was made; a repeated receive attempt does not change it.
    """

    id: str
    receipt: str
    sequence: int
    body: bytes
    attributes: bytes
    group: str | None
    sent_at_ms: int
    received_at_ms: int
    first_received_at_ms: int
    receive_count: int
    dead_letter_source: str | None


class Engine(Protocol):
    """Durable queues. All methods are called from one event loop; any number of calls may be under way."""

    async def create_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        """Create a queue. Raises `QueueExists` if the name is taken, whatever its settings."""
        ...

    async def get_queue(self, name: str) -> QueueInfo:
        """Raises `QueueNotFound`."""
        ...

    async def list_queues(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[QueueInfo]:
        """Queues whose names start with `prefix` and sort after `after`, in order of name, at most `limit`."""
        ...

    async def set_queue(self, name: str, settings: QueueSettings) -> QueueInfo:
        """Replace the settings. They govern later operations; a new retention also governs messages already stored.

        Raises `QueueNotFound`, and `InvalidInput` for an attempt to change `fifo`.
        """
        ...

    async def delete_queue(self, name: str) -> None:
        """Delete the queue and all its messages; waiting receives return empty. Raises `QueueNotFound`."""
        ...

    async def send(self, name: str, messages: Sequence[NewMessage]) -> list[SentMessage]:
        """Store messages (1 to 1000), all in one commit or none. Answers in the order given.

        Raises `QueueNotFound`, `InvalidInput` (FIFO without a group), `StorageFull`, `StorageFailed`.
        """
        ...

    async def receive(
        self,
        name: str,
        *,
        max_messages: int = 1,
        visibility_timeout_ms: int | None = None,
        wait_ms: int = 0,
        attempt_id: str | None = None,
    ) -> list[ReceivedMessage]:
        """Take up to `max_messages` (1 to 1000) ready messages. Fewer is no sign that the queue is empty.

        With nothing ready, waits up to `wait_ms` for the first and then returns at once; waiting receivers are served
        in the order they came. A receive that is cancelled while it waits takes nothing. With
        `visibility_timeout_ms` 0 the messages stay ready and the receive is counted. `attempt_id` is for FIFO queues
        (see "Receive attempts"). Raises `QueueNotFound`, `InvalidInput` for an attempt id in a standard queue, and
        `InFlightLimit` when a standard queue's `max_in_flight` is reached and `wait_ms` is 0 (a waiting receive
        returns empty, as does a FIFO queue's).
        """
        ...

    async def delete(self, name: str, receipts: Sequence[str]) -> list[ChappeError | None]:
        """Delete the messages of these receipts in one commit; per receipt None or why not.

        Deleting again is no error. In a standard queue any receipt of the message will do. In a FIFO queue a receipt
        that is no longer the message's newest, or whose visibility timeout has ended, gives `ReceiptExpired`. What
        this queue never issued gives `ReceiptInvalid`. Raises `QueueNotFound`.
        """
        ...

    async def change_visibility(self, name: str, changes: Sequence[tuple[str, int]]) -> list[ChappeError | None]:
        """Make each receipt's message invisible for so many ms from now; 0 makes it ready at once.

        In a standard queue that also holds for a message that is ready again and was not received since: it is put
        back in flight under this receipt, uncounted. Gives `MessageNotInFlight` where the message was received since
        under a newer receipt, or is ready in a FIFO queue; `MessageGone` where it is not there any more (or, after a
        crash, not known to have been received), and `ReceiptInvalid` as `delete` does. Raises `QueueNotFound`.
        """
        ...

    async def move(self, name: str, receipts: Sequence[str], destination: str) -> list[SentMessage | ChappeError]:
        """Move the messages of these receipts to the end of another queue of the same kind, in one commit: each is in
        exactly one of the two, whatever happens. Per receipt the message in its new queue, or why it was not moved.

        There it is a new message, with body, attributes and group: sent now, never received, with the queue's delay, no
        deduplication key and no `dead_letter_source`. Which receipts will do, and the errors for others, are those of
        `change_visibility`. Raises `QueueNotFound` (of either queue, named in its details), `InvalidInput` for the same
        queue or one of the other kind, `StorageFull`, `StorageFailed`.
        """
        ...

    async def purge(self, name: str) -> None:
        """Delete every message sent before this call, whatever its state. Raises `QueueNotFound`."""
        ...

    async def counts(self, name: str) -> QueueCounts:
        """Raises `QueueNotFound`."""
        ...

    async def close(self) -> None:
        """Finish commits under way, wake waiting receives (they return empty) and release the storage."""
        ...
