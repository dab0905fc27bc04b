"""Ids of messages: random UUIDs (RFC 9562, version 4), and their text."""

from __future__ import annotations

import os

_BYTES = 16
_AT_ONCE = 256
_KEPT = int.from_bytes(bytes.fromhex("ffffffffffff0fff3fffffffffffffff") * _AT_ONCE, "big")
_SET = int.from_bytes(bytes.fromhex("00000000000040008000000000000000") * _AT_ONCE, "big")
"""The version and the variant, the bits of a UUID that are not random."""


class MessageIds:
    """A supply of ids, each handed out once. For one thread, in one process.

    They are made many at a time, which costs a third. Asking the operating system for each would also give the
    interpreter lock away, and getting it back beside the commit thread takes longer than all else.
    """

    def __init__(self) -> None:
        self._made: list[bytes] = []

    def take(self) -> bytes:
        """16 bytes."""
        if not self._made:
            random = int.from_bytes(os.urandom(_BYTES * _AT_ONCE), "big")
            made = (random & _KEPT | _SET).to_bytes(_BYTES * _AT_ONCE, "big")
            self._made = [made[start : start + _BYTES] for start in range(0, len(made), _BYTES)]
        return self._made.pop()


def id_text(message_id: bytes) -> str:
    """The UUID text of an id."""
    h = message_id.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
