"""Keys that grow with time: 42 bits of milliseconds, 10 of node, 11 of counter.

Ordering by key is ordering by time of creation, an index on keys is only ever written at its end, and a moment can be
turned into a bound on keys. The outward form is a prefix and 16 hexadecimal digits, which sort the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MESSAGE = "msg"
CONSENT = "con"
SUPPRESSION = "sup"
INBOUND = "inb"
OPT_OUT = "opt"
HOLD = "hld"
DECISION = "dec"
PERSON = "per"
DATA_REQUEST = "dsr"
REVIEW = "rev"
FEEDBACK = "fbk"
RATE = "rat"

_COUNTER_BITS = 11
_NODE_BITS = 10
_TIME_SHIFT = _COUNTER_BITS + _NODE_BITS
_NODE_MASK = (1 << _NODE_BITS) - 1
_COUNTER_MASK = (1 << _COUNTER_BITS) - 1
_TEXT = re.compile(r"([a-z]{3})_([0-9a-f]{16})", re.ASCII)
LARGEST = (1 << 63) - 1


def key_text(prefix: str, key: int) -> str:
    """The outward form of a key."""
    return f"{prefix}_{key:016x}"


def parse_key(prefix: str, text: str) -> int | None:
    """The key of an outward form, or None if it is not one with this prefix."""
    match = _TEXT.fullmatch(text)
    if match is None or match[1] != prefix:
        return None
    key = int(match[2], 16)
    return key if key <= LARGEST else None


def created_at_ms(key: int) -> int:
    """When the key was made."""
    return key >> _TIME_SHIFT


def first_key_at(moment_ms: int) -> int:
    """The smallest key that can be made at or after this moment."""
    return min(max(moment_ms, 0) << _TIME_SHIFT, LARGEST)


class KeySource:
    """Makes keys, each larger than all before it, also when the clock stands still or is set back.

    `last` is the largest key in use, so that the promise holds across restarts. `node` (0 to 1023) keeps sources that
    work at the same time apart. More than 2,048 keys in one millisecond borrow from the next.
    """

    def __init__(self, now_ms: Callable[[], int], *, last: int = 0, node: int = 0) -> None:
        if not 0 <= node <= _NODE_MASK:
            raise ValueError(f"node must be 0 to {_NODE_MASK}, not {node}")
        self._now_ms = now_ms
        self._node = node << _COUNTER_BITS
        self._time_ms = last >> _TIME_SHIFT
        # A key of another node may be larger than what is left of its millisecond here.
        same_node = last >> _COUNTER_BITS & _NODE_MASK == node
        self._counter = last & _COUNTER_MASK if same_node else _COUNTER_MASK

    def next(self) -> int:
        """A new key."""
        now_ms = self._now_ms()
        if now_ms > self._time_ms:
            self._time_ms, self._counter = now_ms, 0
        elif self._counter == _COUNTER_MASK:
            self._time_ms, self._counter = self._time_ms + 1, 0
        else:
            self._counter += 1
        return self._time_ms << _TIME_SHIFT | self._node | self._counter
