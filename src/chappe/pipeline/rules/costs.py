"""What the conditions of rules cost at most, measured before they may decide anything.

A condition is a program of the operator's that runs for every message, on the event loop. It is tried on content as
long as it may ever see, in steps, so that one that is slow is found out before it is asked about the longest.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.places.jurisdictions import european_zones
from chappe.compliance.rule.conditions import MAX_TEXT_BYTES, Condition
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient
from chappe.pipeline.acceptance.request import METADATA_ENTRIES_MAX, METADATA_VALUE_CHARACTERS_MAX

LIMIT_MS = 10.0
"""For one condition."""
TOTAL_LIMIT_MS = 50.0
"""For all conditions of a rule set, whether or not one message ever meets all of them."""
_TEXT_BYTES = (256, 4_096, MAX_TEXT_BYTES)
_TRIES = 3
"""The fastest counts: the machine may be busy with something else."""
_NOW_MS = 1_772_625_600_000
_FACTS = Facts(jurisdiction="DE", zones=european_zones())


class Costs(msgspec.Struct, frozen=True):
    """`slow` are the conditions that take longer than `LIMIT_MS`, with how many ms one evaluation takes. `total_ms` is
    that of all, or more than `TOTAL_LIMIT_MS`, from where on nothing was measured.
    """

    slow: dict[str, float]
    total_ms: float


def costs_of(texts: Iterable[str]) -> Costs:
    """What these conditions cost. Takes as long as `TOTAL_LIMIT_MS` and a few times more."""
    slow, total_ms = {}, 0.0
    for text in dict.fromkeys(texts):
        cost_ms = _cost_ms(Condition(text))
        total_ms += cost_ms
        if cost_ms > LIMIT_MS:
            slow[text] = cost_ms
        if total_ms > TOTAL_LIMIT_MS:
            break
    return Costs(slow, total_ms)


def too_slow_together(total_ms: float) -> str:
    """What is wrong with a rule set whose conditions take so long; nothing if they do not."""
    if total_ms <= TOTAL_LIMIT_MS:
        return ""
    return f"the conditions of all rules together take more than {TOTAL_LIMIT_MS:.0f} ms on long content"


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
