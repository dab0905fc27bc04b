"""Whole lives through a FIFO queue: many groups, and the order within each is checked."""

from __future__ import annotations

import msgspec

from bench.queue_life import BATCH, BODY_BYTES, Lives, Received
from bench.signing import Signer

GROUPS_PER_CONNECTION = 32
_FILLING = "x" * BODY_BYTES


class FifoLives(Lives):
    """Each connection sends to groups of its own, so that the order it sent in is the order to expect.

    A batch holds a message each of ten groups. Every message has a deduplication id of its own, so no request can
    be signed beforehand or sent twice.
    """

    def __init__(self, signer: Signer, queue_url: str) -> None:
        super().__init__(signer, queue_url)
        self.out_of_order = 0
        self._sent: dict[int, int] = {}
        self._last: dict[bytes, int] = {}

    def prepared_sends(self) -> list[bytes]:
        return [b""]

    def next_send(self, connection: int) -> bytes:
        first = self._sent.get(connection, 0)
        self._sent[connection] = first + BATCH
        entries = [self._entry(connection, number) for number in range(first, first + BATCH)]
        body = msgspec.json.encode({"QueueUrl": self.queue_url, "Entries": entries})
        return self.signer.sign("SendMessageBatch", body)

    def received(self, messages: list[Received]) -> None:
        """A group's messages must come one after the other: the next only when this one was deleted."""
        for message in messages:
            group, number = bytes(message.body)[1:].split(b" ", 2)[:2]
            if int(number) != self._last.get(group, -1) + 1:
                self.out_of_order += 1
            self._last[group] = int(number)

    def _entry(self, connection: int, number: int) -> dict[str, str]:
        round_, place = divmod(number, GROUPS_PER_CONNECTION)
        group = f"{connection}-{place}"
        return {
            "Id": str(number % BATCH),
            "MessageBody": f"{group} {round_} {_FILLING}"[:BODY_BYTES],
            "MessageGroupId": group,
            "MessageDeduplicationId": f"{group}-{round_}",
        }
