"""What travels in the pipeline's queues: the message, and what the next step has to know about it. JSON text."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from chappe.model.customer import Amendment, CustomerMessage
from chappe.records import ids


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message on its way.

    `recovered` marks a copy that was queued again after a crash, of which another may exist. `dead` marks a dead
    letter, and `attempts_before` are the attempts made before it became one: whoever moves it back grants as many
    again. `readmitted` says that intake was to decide it once more, because others may have used up a cap since.
    `queued_at_ms` is when it entered its lane, and `amendments` are what the rules wanted changed then.
    """

    message: CustomerMessage
    recovered: bool = False
    dead: bool = False
    attempts_before: int = 0
    readmitted: bool = False
    queued_at_ms: int = 0
    amendments: tuple[Amendment, ...] = ()

    @property
    def key(self) -> int:
        """The message's key in the records."""
        key = _key_of(self.message.id)
        if key is None:
            raise ValueError(f"{self.message.id!r} is not the id of a message")
        return key


@lru_cache(maxsize=4_096)
def _key_of(message_id: str) -> int | None:
    """The key of a message id, or None if it is none. Asked several times of each message in hand."""
    return ids.parse_key(ids.MESSAGE, message_id)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)


def to_body(envelope: Envelope) -> bytes:
    """The queue message's body."""
    return _encoder.encode(envelope)


def from_body(body: bytes) -> Envelope | None:
    """The envelope of a body, or None if it is none: anyone with the keys may send into these queues."""
    try:
        envelope = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return envelope if _key_of(envelope.message.id) is not None else None
