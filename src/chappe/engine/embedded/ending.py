"""What a receiver does with a receipt: delete the message, or change how long it stays invisible."""

from __future__ import annotations

from collections.abc import Sequence

from chappe.engine.embedded.checks import check_duration
from chappe.engine.embedded.core import Core
from chappe.engine.embedded.entry import Entry, Receipt, State
from chappe.engine.embedded.queue import Queue
from chappe.engine.embedded.standard import StandardQueue
from chappe.engine.embedded.writes import Write
from chappe.model.errors import ChappeError, MessageGone, MessageNotInFlight, ReceiptExpired


class Ending:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._taken_out: dict[int, Entry] = {}
        """Messages (by sequence) whose deletion is under way although their receive was forgotten."""

    async def delete(self, name: str, receipts: Sequence[str]) -> list[ChappeError | None]:
        queue = self._core.queue(name)
        outcomes: list[ChappeError | None] = []
        entries: list[Entry] = []
        try:
            for text in receipts:
                try:
                    receipt = self._core.receipts.parse(text, queue.id)
                    entry = self._received(queue, receipt)
                    if entry is None and receipt.seq < self._core.first_seq:
                        entry = await self._unknown_receive(queue, receipt)
                except ChappeError as error:
                    outcomes.append(error)
                else:
                    outcomes.append(None)
                    if entry is not None:
                        queue.leave(entry)
                        entries.append(entry)
        except BaseException:
            self.stay(queue, entries)
            raise
        if entries:
            try:
                await self._core.commit(Write(deleted=entries, apply=self.deleted))
            except ChappeError:
                self.stay(queue, entries)
                raise
        return outcomes

    def stay(self, queue: Queue, entries: list[Entry]) -> None:
        """What was about to leave the queue does not."""
        now = self._core.clock()
        for entry in entries:
            queue.stay(entry, now)
            self._taken_out.pop(entry.seq, None)

    def _received(self, queue: Queue, receipt: Receipt) -> Entry | None:
        """The live message of a receipt; None if it is not known to have been received."""
        entry = queue.received.get(receipt.seq)
        if (
            entry is not None
            and queue.settings.fifo
            and (
                entry.receive_count != receipt.receive_count
                or entry.state is not State.IN_FLIGHT
                or entry.visible_at <= self._core.clock()
            )
        ):
            raise ReceiptExpired("The receipt handle has expired.")
        return entry

    async def _unknown_receive(self, queue: Queue, receipt: Receipt) -> Entry | None:
        """A receipt from before the last start. If its receive did not reach the disk, the message counts as ready."""
        row = await self._core.commits.run(lambda store: store.read_one(receipt.seq))
        if receipt.seq in queue.received:
            return self._received(queue, receipt)
        if receipt.seq in self._taken_out:
            return self._taken_out[receipt.seq]
        if row is None or row.queue_id != queue.id or receipt.seq in self._core.ended or receipt.seq in queue.leaving:
            return None
        if row.seq <= queue.purged_seq:
            return None
        if not isinstance(queue, StandardQueue):
            raise ReceiptExpired("The receipt handle has expired.")
        row.content = None
        entry = queue.take_out(row) or row
        entry.state = State.MOVING
        self._taken_out[entry.seq] = entry
        return entry

    def deleted(self, write: Write) -> None:
        """The deletions of a write are committed."""
        now = self._core.clock()
        for entry in write.deleted or ():
            queue = self._core.by_id.get(entry.queue_id)
            if queue is not None:
                queue.delete(entry, now)
                if queue.pollers:
                    self._core.serve(queue)
            self._core.end(entry)
            self._taken_out.pop(entry.seq, None)

    async def change_visibility(self, name: str, changes: Sequence[tuple[str, int]]) -> list[ChappeError | None]:
        queue = self._core.queue(name)
        now = self._core.clock()
        queue.promote(now)
        outcomes: list[ChappeError | None] = []
        entries: list[Entry] = []
        for _, timeout_ms in changes:
            check_duration(timeout_ms, "timeout_ms")
        for text, timeout_ms in changes:
            try:
                entry = entry_held(queue, self._core.receipts.parse(text, queue.id))
            except ChappeError as error:
                outcomes.append(error)
                continue
            outcomes.append(None)
            queue.change_visibility(entry, now, now + timeout_ms)
            entries.append(entry)
        if entries:
            # Memory changes before the commit here, as for a receive: until it is durable nobody was promised anything,
            # and a crash makes the message visible earlier or later, never lost.
            await self._core.commit(Write(received=entries))
            self._core.serve(queue)
        return outcomes


def entry_held(queue: Queue, receipt: Receipt) -> Entry:
    """The message whose visibility the receipt may change."""
    entry = queue.received.get(receipt.seq)
    if entry is None or entry.seq in queue.leaving:
        raise MessageGone("The message of this receipt handle is gone.")
    ready_will_do = not queue.settings.fifo and entry.state is State.READY
    if entry.receive_count != receipt.receive_count or not (entry.state is State.IN_FLIGHT or ready_will_do):
        raise MessageNotInFlight("The message is not in flight under this receipt handle.")
    return entry
