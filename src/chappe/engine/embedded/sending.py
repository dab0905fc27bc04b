"""Sending: new messages, and duplicates of recent ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chappe.engine.base import MAX_RECEIVE, NewMessage, SentMessage
from chappe.engine.embedded.checks import check_duration
from chappe.engine.embedded.core import Core
from chappe.engine.embedded.deduplication import Original
from chappe.engine.embedded.entry import Entry, Place, State
from chappe.engine.embedded.message_ids import MessageIds, id_text
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.writes import Write
from chappe.model.errors import ChappeError, InvalidInput

DEDUPLICATION_KEY_BYTES = 64


class Sending:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def send(self, name: str, messages: Sequence[NewMessage]) -> list[SentMessage]:
        queue = self._core.queue(name)
        if not 1 <= len(messages) <= MAX_RECEIVE:
            raise InvalidInput(f"A send carries 1 to {MAX_RECEIVE} messages, not {len(messages)}.")
        for message in messages:
            _check_message(message)
        self._core.need_room(messages)
        now = self._core.clock()
        if queue.settings.fifo:
            return await self._send_fifo(queue, messages, now)
        entries = [self.new_entry(queue, message, now) for message in messages]
        await self._core.commit(Write(sent=entries, apply=self.arrived, grows=True))
        return [SentMessage(id_text(e.id), e.seq) for e in entries]

    def new_entry(self, queue: Queue, message: NewMessage, now: int) -> Entry:
        settings = queue.settings
        delay = settings.delay_ms if message.delay_ms is None or settings.fifo else message.delay_ms
        return Entry(
            seq=self._core.new_seq(),
            queue_id=queue.id,
            id=_ids.take(),
            sent_at=now,
            due=now + delay if delay > 0 else 0,
            group=message.group,
            deduplication_key=message.deduplication_key,
            source=message.dead_letter_source,
            content=(message.attributes, message.body),
            place=place_of(settings.fifo, delay, message.group),
        )

    async def _send_fifo(self, queue: Queue, messages: Sequence[NewMessage], now: int) -> list[SentMessage]:
        for message in messages:
            if message.group is None:
                raise InvalidInput("A message for a FIFO queue needs a group.", queue=queue.name)
        entries: list[Entry] = []
        originals: list[Write] = []
        sent: list[SentMessage] = []
        write = Write(sent=entries, apply=self.arrived, grows=True)
        for message in messages:
            key = message.deduplication_key
            original = self._core.keys.find(queue.id, key, now) if key is not None else None
            if original is not None:
                sent.append(SentMessage(id_text(original.id), original.seq, duplicate=True))
                if original.write is not None and original.write is not write:
                    originals.append(original.write)
                continue
            entry = self.new_entry(queue, message, now)
            entries.append(entry)
            sent.append(SentMessage(id_text(entry.id), entry.seq))
            if key is not None:
                self._core.keys.add(queue.id, key, Original(entry.seq, entry.id, now, write))
        try:
            if entries:
                await self._core.commit(write)
        except ChappeError:
            for entry in entries:
                if entry.deduplication_key is not None:
                    self._core.keys.withdraw(queue.id, entry.deduplication_key, entry.seq)
            raise
        for original_write in originals:
            await asyncio.shield(original_write.committed())
        return sent

    def arrived(self, write: Write) -> None:
        now = self._core.clock()
        queue: Queue | None = None
        for entry in write.sent or ():
            if queue is None or queue.id != entry.queue_id:
                queue = self._core.by_id.get(entry.queue_id)
            if queue is None:  # deleted meanwhile
                entry.state = State.DEAD
            else:
                queue.arrive(entry, now)
        if queue is not None and queue.pollers:
            self._core.serve(queue)


def place_of(fifo: bool, delay_ms: int, group: str | None) -> Place:
    """Where a new message of a queue is kept once it is settled."""
    if fifo:
        return Place.IN_ORDER
    if delay_ms > 0:
        return Place.PARKED
    return Place.IN_ORDER if group is None else Place.GROUPED


_ids = MessageIds()


def _check_message(message: NewMessage) -> None:
    if message.delay_ms is not None:
        check_duration(message.delay_ms, "delay_ms")
    key = message.deduplication_key
    if key is not None and not 1 <= len(key) <= DEDUPLICATION_KEY_BYTES:
        raise InvalidInput(f"A deduplication key has 1 to {DEDUPLICATION_KEY_BYTES} bytes, not {len(key)}.")
