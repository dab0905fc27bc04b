"""Moving received messages to another queue: in one commit they end in the one and begin in the other."""

from __future__ import annotations

from collections.abc import Sequence

from chappe.engine.base import NewMessage, SentMessage
from chappe.engine.embedded.core import Core
from chappe.engine.embedded.ending import Ending, entry_held
from chappe.engine.embedded.entry import Entry
from chappe.engine.embedded.message_ids import id_text
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.sending import Sending
from chappe.engine.embedded.writes import Write
from chappe.model.errors import ChappeError, DataDamaged, InvalidInput, MessageGone, QueueNotFound


class Moving:
    def __init__(self, core: Core, sending: Sending, ending: Ending) -> None:
        self._core = core
        self._sending = sending
        self._ending = ending

    async def move(self, name: str, receipts: Sequence[str], destination: str) -> list[SentMessage | ChappeError]:
        queue, target = self._core.queue(name), self._core.queue(destination)
        if queue is target or queue.settings.fifo != target.settings.fifo:
            raise InvalidInput("Messages are moved to another queue of the same kind.", queue=destination)
        queue.promote(self._core.clock())
        leaving: list[Entry] = []
        outcomes: list[Entry | ChappeError] = []
        for text in receipts:
            try:
                entry = entry_held(queue, self._core.receipts.parse(text, queue.id))
            except ChappeError as error:
                outcomes.append(error)
            else:
                queue.leave(entry)
                leaving.append(entry)
                outcomes.append(entry)
        try:
            moved = await self._copies(queue, target, leaving)
        except BaseException:
            self._ending.stay(queue, leaving)
            raise
        copies = {entry.seq: copy for entry, copy in moved if isinstance(copy, Entry)}
        if copies:
            await self._commit(queue, [entry for entry in leaving if entry.seq in copies], list(copies.values()))
        told = {entry.seq: copy for entry, copy in moved}
        return [_told(told[each.seq]) if isinstance(each, Entry) else each for each in outcomes]

    async def _copies(
        self, queue: Queue, target: Queue, leaving: list[Entry]
    ) -> list[tuple[Entry, Entry | ChappeError]]:
        """Each message with its copy, or with why there is none. Those without one stay."""
        contents = await self._core.contents(leaving)
        if target.deleted:
            raise QueueNotFound(f"There is no queue named {target.name}.", queue=target.name)
        found = [
            (entry, NewMessage(content[1], content[0], entry.group))
            for entry, content in zip(leaving, contents, strict=True)
            if content is not None
        ]
        if found:
            self._core.need_room([message for _, message in found])
        now = self._core.clock()
        copies: dict[int, Entry] = {
            entry.seq: self._sending.new_entry(target, message, now) for entry, message in found
        }
        return [(entry, copies.get(entry.seq) or self._lost(queue, entry)) for entry in leaving]

    def _lost(self, queue: Queue, entry: Entry) -> ChappeError:
        """A message that ended while its content was read, or whose content cannot be read."""
        if entry.settled and queue.received.get(entry.seq) is entry:
            queue.pass_over(entry, self._core.clock())
            queue.leaving.discard(entry.seq)
            return DataDamaged("The message is damaged and stays where it is.", sequence=entry.seq)
        self._ending.stay(queue, [entry])
        return MessageGone("The message of this receipt handle is gone.")

    async def _commit(self, queue: Queue, leaving: list[Entry], copies: list[Entry]) -> None:
        def moved(write: Write) -> None:
            self._ending.deleted(write)
            self._sending.arrived(write)

        try:
            await self._core.commit(Write(sent=copies, deleted=leaving, apply=moved, grows=True))
        except ChappeError:
            self._ending.stay(queue, leaving)
            raise


def _told(copy: Entry | ChappeError) -> SentMessage | ChappeError:
    return SentMessage(id_text(copy.id), copy.seq) if isinstance(copy, Entry) else copy
