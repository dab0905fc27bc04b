"""One message as the embedded engine holds it in memory, and the receipts that name its deliveries."""

from __future__ import annotations

import hashlib
import hmac
import struct
from enum import IntEnum
from typing import NamedTuple

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


Content = tuple[bytes, bytes]
"""(attributes, body)"""


class Place(IntEnum):
    """How a settled message of its queue is found again. The values are on disk."""

    IN_ORDER = 0
    """By its sequence."""
    PARKED = 1
    """By when it is due: it was sent with a delay to a standard queue."""
    GROUPED = 2
    """By its group and sequence: it belongs to a tenant of a standard queue."""


class Entry(msgspec.Struct, gc=False):
    """A message. `seq` orders all messages of the data folder; instants are in ms, 0 where there is none.

    `content` is (attributes, body), or None while it is only on disk. `settled` says that the message has a row in
    `messages`, `noted` that it has one in `received`.
    """

    seq: int
    queue_id: int
    id: bytes
    sent_at: int
    due: int = 0
    group: str | None = None
    deduplication_key: bytes | None = None
    source: str | None = None
    content: Content | None = None
    state: State = State.READY
    place: Place = Place.IN_ORDER
    settled: bool = False
    noted: bool = False
    receive_count: int = 0
    first_received_at: int = 0
    visible_at: int = 0

    @property
    def parked(self) -> bool:
        return self.place is Place.PARKED

    @property
    def content_bytes(self) -> int:
        return len(self.content[0]) + len(self.content[1]) if self.content is not None else 0


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """The delivery that a receipt names: the message and which of its receives it was."""

    seq: int
    receive_count: int


class Delivery(NamedTuple):
    """A message as one receive took it. What it says holds however often the message is taken again meanwhile."""

    entry: Entry
    receipt: str
    received_at: int
    first_received_at: int
    receive_count: int

    @property
    def current(self) -> bool:
        """Whether the message is in flight by this receive and no later one."""
        return self.entry.state is State.IN_FLIGHT and self.entry.receive_count == self.receive_count


class Receipts:
    """Makes and reads receipts. They are signed with a key of the data folder, so none can be guessed or altered."""

    _FIELDS = struct.Struct(">QQI")
    _SIGNATURE_BYTES = 12
    _CHARACTERS = (_FIELDS.size + _SIGNATURE_BYTES) * 2

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=self._SIGNATURE_BYTES)

    def of(self, entry: Entry) -> str:
        """The receipt of the entry's latest delivery."""
        fields = self._FIELDS.pack(entry.queue_id, entry.seq, entry.receive_count)
        return (fields + self._sign(fields)).hex()

    def parse(self, text: str, queue_id: int) -> Receipt:
        """Raises `ReceiptInvalid` unless this queue issued the text."""
        if len(text) == self._CHARACTERS:
            try:
                data = bytes.fromhex(text)
            except ValueError:
                data = b""
            fields, signature = data[: self._FIELDS.size], data[self._FIELDS.size :]
            if data.hex() == text and hmac.compare_digest(signature, self._sign(fields)):
                issuer, seq, receive_count = self._FIELDS.unpack(fields)
                if issuer == queue_id:
                    return Receipt(seq, receive_count)
        raise ReceiptInvalid("The receipt handle was not issued by this queue.")

    def _sign(self, fields: bytes) -> bytes:
        mac = self._keyed.copy()  # the key is taken in once
        mac.update(fields)
        return mac.digest()
