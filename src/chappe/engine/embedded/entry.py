"""One message as the embedded engine holds it in memory, and the receipts that name its deliveries."""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from chappe.model.errors import ReceiptInvalid


class State(IntEnum):
    READY = 0
    DELAYED = 1
    IN_FLIGHT = 2
    MOVING = 3
    """On its way to the dead-letter queue; the commit is under way."""
    DEAD = 4
    EVICTED = 5
    """Alive on disk and forgotten in memory; whatever still refers to this entry skips it."""


class Entry(msgspec.Struct, gc=False):
    """A message. `seq` orders all messages of the data folder; instants are in ms, 0 where there is none.

    `content` is (attributes, body), or None while it is only on disk. `parked` messages (delayed, in a
    standard queue) are found by `due` instead of `seq`. `settled` says that the message has a row in `messages`; `noted`
    that it has one in `received`.
    """

    seq: int
    queue_id: int
    id: bytes
    sent_at: int
    due: int = 0
    group: str | None = None
    deduplication_key: bytes | None = None
    source: str | None = None
    content: tuple[bytes, bytes] | None = None
    state: State = State.READY
    parked: bool = False
    settled: bool = False
    noted: bool = False
    receive_count: int = 0
    first_received_at: int = 0
    visible_at: int = 0

    @property
    def content_bytes(self) -> int:
        return len(self.content[0]) + len(self.content[1]) if self.content is not None else 0


_RECEIPT = struct.Struct(">BQQI8s")
_RECEIPT_VERSION = 1
_RECEIPT_CHARACTERS = _RECEIPT.size * 2


def receipt_of(entry: Entry) -> str:
    """The receipt of the entry's latest delivery. It holds half of the random message id, so it cannot be guessed."""
    return _RECEIPT.pack(_RECEIPT_VERSION, entry.queue_id, entry.seq, entry.receive_count, entry.id[:8]).hex()


class Receipt(msgspec.Struct, frozen=True, gc=False):
    seq: int
    receive_count: int
    id_prefix: bytes


def parse_receipt(text: str, queue_id: int) -> Receipt:
    """Raises `ReceiptInvalid` unless a queue with this id can have issued the text."""
    if len(text) == _RECEIPT_CHARACTERS:
        try:
            version, issuer, seq, count, prefix = _RECEIPT.unpack(bytes.fromhex(text))
        except (ValueError, struct.error):
            pass
        else:
            if version == _RECEIPT_VERSION and issuer == queue_id:
                return Receipt(seq, count, prefix)
    raise ReceiptInvalid("The receipt handle was not issued by this queue.", receipt=text[:200])


def id_text(message_id: bytes) -> str:
    """The UUID text of 16 random bytes (RFC 9562, version 4)."""
    h = message_id.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
