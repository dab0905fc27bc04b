"""What SQS has to give back about a message beside its body, packed into the engine's opaque attributes.

A message that another part of the server put into the engine has no envelope, or something else in its place;
it is received as a plain message.
"""

from __future__ import annotations

import msgspec

from chappe.broker.message_attributes import TypedAttributes

ENVELOPE_VERSION = 1


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """The body's MD5 (16 bytes) is kept so that receiving does not compute it again.

    Message attributes are kept by kind of value, because msgspec does not tell text from bytes in a union.
    """

    version: int
    body_md5: bytes
    sender_id: str
    deduplication_id: str | None = None
    trace_header: str | None = None
    texts: dict[str, tuple[str, str]] | None = None
    binaries: dict[str, tuple[str, bytes]] | None = None

    @property
    def message_attributes(self) -> TypedAttributes:
        return {**(self.texts or {}), **(self.binaries or {})}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Envelope)


def pack(
    body_md5: bytes,
    sender_id: str,
    deduplication_id: str | None,
    trace_header: str | None,
    message_attributes: TypedAttributes | None,
) -> bytes:
    texts: dict[str, tuple[str, str]] | None = None
    binaries: dict[str, tuple[str, bytes]] | None = None
    if message_attributes:
        texts = {n: (kind, v) for n, (kind, v) in message_attributes.items() if isinstance(v, str)}
        binaries = {n: (kind, v) for n, (kind, v) in message_attributes.items() if isinstance(v, bytes)}
    return _encoder.encode(
        Envelope(ENVELOPE_VERSION, body_md5, sender_id, deduplication_id, trace_header, texts, binaries)
    )


def unpack(packed: bytes) -> Envelope | None:
    """The envelope, or None if this is not one."""
    if not packed:
        return None
    try:
        envelope = _decoder.decode(packed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return envelope if envelope.version == ENVELOPE_VERSION and len(envelope.body_md5) == 16 else None
