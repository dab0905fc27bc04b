"""What the conditions of rules cost at most, measured before they may decide anything.

A condition is a program of the operator's that runs for every message, on the event loop. It is tried on content as
long as it may ever see, in steps, so that one that is slow is found out before it is asked about the longest.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from chappe.compliance.conditions import MAX_TEXT_BYTES, Condition
from chappe.compliance.facts import Facts
from chappe.compliance.jurisdictions import european_zones
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient
from chappe.pipeline.request import METADATA_ENTRIES_MAX, METADATA_VALUE_CHARACTERS_MAX

LIMIT_MS = 10.0
_TEXT_BYTES = (256, 4_096, MAX_TEXT_BYTES)
_TRIES = 3
"""The fastest counts: the machine may be busy with something else."""
_NOW_MS = 1_772_625_600_000
_FACTS = Facts(jurisdiction="DE", zones=european_zones())


def slow_conditions(texts: Iterable[str]) -> dict[str, float]:
    """The conditions that take longer than `LIMIT_MS`, and how many ms one evaluation takes."""
    return {text: cost_ms for text in dict.fromkeys(texts) if (cost_ms := _cost_ms(Condition(text))) > LIMIT_MS}


def _cost_ms(condition: Condition) -> float:
    worst_ms = 0.0
    for size_bytes in _TEXT_BYTES:
        message = _message(size_bytes)
        worst_ms = max(worst_ms, min(_once_ms(condition, message) for _ in range(_TRIES)))
        if worst_ms > LIMIT_MS:
            break
    return worst_ms


def _once_ms(condition: Condition, message: CustomerMessage) -> float:
    begun = time.perf_counter()
    condition.ask(message, _FACTS, _NOW_MS)
    return (time.perf_counter() - begun) * 1000


def _message(size_bytes: int) -> CustomerMessage:
    text = ("Offer 17: x ab? " * (size_bytes // 16))[:size_bytes]
    return CustomerMessage(
        id="msg_0000000000000000",
        to=Recipient(email="ana@example.com"),
        channel=Channel.EMAIL,
        purpose=Purpose.PROMOTIONAL,
        content=Content(subject=text, text=text),
        created_at_ms=_NOW_MS,
        metadata={f"label-{n}": "v" * METADATA_VALUE_CHARACTERS_MAX for n in range(METADATA_ENTRIES_MAX)},
    )
