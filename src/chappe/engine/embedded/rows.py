"""Rows of the tables, as values: journal pages and messages, to bytes and back, with their checksums."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from chappe.engine.base import QueueInfo, QueueSettings
from chappe.engine.embedded.entry import Entry, Place
from chappe.engine.embedded.writes import Write

Row = tuple[Any, ...]
Deduplication = tuple[int, bytes, int, bytes, int]
"""(queue id, key, seq, message id, sent at in ms)"""
Received = tuple[int, int, int, int]
"""(seq, receive count, first received at, visible at), instants in ms"""

MESSAGE_COLUMNS = "seq, queue_id, place, due_ms, group_name, id, sent_at_ms, source, crc, attributes, body"


class SentRow(msgspec.Struct, frozen=True, array_like=True):
    """A new message in a journal page."""

    seq: int
    queue_id: int
    id: bytes
    sent_at: int
    due: int
    group: str | None
    deduplication_key: bytes | None
    source: str | None
    place: Place
    attributes: bytes
    body: bytes


class PageRow(msgspec.Struct, frozen=True, array_like=True):
    """What a journal page says: new messages, delivery states, ended messages.

    Within a page an end prevails over a state; both refer to messages of earlier pages.
    """

    sent: list[SentRow]
    received: list[Received]
    deleted: list[int]


class QueueRow(msgspec.Struct, frozen=True):
    id: int
    info: QueueInfo
    purged_seq: int
    vanished_ms: int
    """Messages sent at or before this instant were past a retention that applied at the time."""
    stored: int
    parked: int
    grouped: int


_encoder = msgspec.msgpack.Encoder()
_page_decoder = msgspec.msgpack.Decoder(PageRow)
_settings_decoder = msgspec.json.Decoder(QueueSettings)
_deduplication_decoder = msgspec.msgpack.Decoder(list[Deduplication])

decode_page = _page_decoder.decode
decode_settings = _settings_decoder.decode
decode_deduplication = _deduplication_decoder.decode


def encode_settings(settings: QueueSettings) -> bytes:
    return msgspec.json.encode(settings)


def encode_deduplication(entries: list[Deduplication]) -> bytes:
    return _encoder.encode(entries)


def encode_page(writes: list[Write]) -> bytes | None:
    """A `PageRow` in bytes; None if there is nothing to say."""
    sent: list[Row] = []
    received: list[Received] = []
    deleted: list[int] = []
    for write in writes:
        if write.sent:
            sent += [_sent_row(e) for e in write.sent]
        if write.received:
            received += [received_row(e) for e in write.received]
        if write.deleted:
            deleted += [e.seq for e in write.deleted]
    if sent or received or deleted:
        return _encoder.encode((sent, received, deleted))
    return None


def _sent_row(e: Entry) -> tuple[Any, ...]:
    """In the order of `SentRow`."""
    attributes, body = e.content or (b"", b"")
    return (
        e.seq,
        e.queue_id,
        e.id,
        e.sent_at,
        e.due,
        e.group,
        e.deduplication_key,
        e.source,
        e.place,
        attributes,
        body,
    )


def received_row(e: Entry) -> Received:
    return (e.seq, e.receive_count, e.first_received_at, e.visible_at)


def message_row(m: Entry | SentRow) -> Row:
    """In the order of `MESSAGE_COLUMNS`."""
    if isinstance(m, Entry):
        attributes, body = m.content or (b"", b"")
    else:
        attributes, body = m.attributes, m.body
    fields = (m.seq, m.queue_id, int(m.place), m.due, m.group, m.id, m.sent_at, m.source)
    return (*fields, _crc(fields, attributes, body), attributes, body)


def is_whole(row: Row) -> bool:
    """Whether a row of `messages` is what was written."""
    *fields, crc, attributes, body = row
    return isinstance(attributes, bytes) and isinstance(body, bytes) and _crc(tuple(fields), attributes, body) == crc


def entry_of(row: Row) -> Entry:
    """A settled message from its row."""
    seq, queue_id, place, due, group, message_id, sent_at, source, _, attributes, body = row
    return Entry(
        seq=seq,
        queue_id=queue_id,
        id=message_id,
        sent_at=sent_at,
        due=due,
        group=group,
        source=source,
        content=(attributes, body),
        place=Place(place),
        settled=True,
    )


def _crc(fields: Row, attributes: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(attributes, zlib.crc32(repr(fields).encode())))
