"""Record consents in a data folder, without a server: `python -m bench.consenting DIR --people N`.

Promotional messages need consent, and the figures send theirs to as many people as there are messages, so that no
frequency cap holds them. A process of its own, for the same reason as bench.fill.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from chappe.model.customer import Purpose, Recipient
from chappe.records.people import ConsentRecord
from chappe.records.store import Records

_BATCH = 2_000


def address(number: int) -> str:
    """The mail address of one of the people; its domain tells no time zone, so that no quiet hours apply."""
    return f"person-{number}@example.com"


async def record(folder: Path, people: int) -> None:
    """Give `people` a consent to promotional messages each, on every channel."""
    records = await Records.open(folder, now_ms=_now_ms)
    try:
        for first in range(0, people, _BATCH):
            numbers = range(first, min(first + _BATCH, people))
            await records.people.add_consents([_consent(records.keys.next(), number) for number in numbers])
    finally:
        await records.close()


def _consent(key: int, number: int) -> ConsentRecord:
    to = Recipient(email=address(number))
    return ConsentRecord(key, to, None, Purpose.PROMOTIONAL, granted=True, recorded_at_ms=_now_ms(), source="bench")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, required=True)
    given = parser.parse_args()
    asyncio.run(record(given.folder, given.people))


if __name__ == "__main__":
    main()
