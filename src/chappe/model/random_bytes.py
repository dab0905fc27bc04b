"""Random bytes of the operating system, fetched many at a time.

`os.urandom` gives the interpreter lock away, and beside a busy thread getting it back takes longer than all that is
done with the bytes. What is handed out is never handed out again.
"""

from __future__ import annotations

import os

_AT_ONCE_BYTES = 16_384


class RandomBytes:
    """A supply of random bytes, as good as `os.urandom`. For one thread, in one process."""

    def __init__(self) -> None:
        self._bytes = b""
        self._taken = 0

    def take(self, count: int) -> bytes:
        """So many bytes, at most 16,384."""
        if self._taken + count > len(self._bytes):
            self._bytes, self._taken = os.urandom(_AT_ONCE_BYTES), 0
        start, self._taken = self._taken, self._taken + count
        return self._bytes[start : self._taken]
