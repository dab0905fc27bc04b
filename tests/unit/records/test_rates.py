"""Which measurements have to be known for any rule to decide as if it knew them all."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chappe.model.sends import Rate
from chappe.records import ids
from chappe.records.rates import RateRecord, telling
from chappe.records.store import Records

VALUES = st.lists(st.sampled_from([0.0, 0.001, 0.002, 0.003, 0.004]), max_size=12)


def crossed(rates: list[Rate] | tuple[Rate, ...], stop: float) -> Rate | None:
    return next((rate for rate in reversed(rates) if rate.value >= stop), None)


@given(VALUES, st.sampled_from([0.0005, 0.001, 0.0025, 0.003, 0.005]))
def test_the_newest_and_the_last_that_crossed_a_line_are_among_them(values: list[float], stop: float) -> None:
    rates = [Rate("spam_complaint_rate", at, value) for at, value in enumerate(values)]
    kept = telling(rates)
    assert crossed(kept, stop) == crossed(rates, stop)
    assert kept[-1:] == tuple(rates[-1:])
    assert list(kept) == sorted(kept, key=lambda rate: rate.at_ms)


async def test_they_are_known_again_after_a_restart(tmp_path: Path) -> None:
    records = await Records.open(tmp_path, now_ms=lambda: 1_000)
    rate = Rate("spam_complaint_rate", 500, 0.004, "news@acme.example")
    adding = asyncio.ensure_future(records.rates.add(RateRecord(records.keys.next(), rate, "", "key")))
    changes = records.changes
    while not records.rates.telling:
        changes = records.changes
        await asyncio.sleep(0)
    await adding
    assert records.changes > changes  # whoever read before that knew nothing of it
    await records.close()
    records = await Records.open(tmp_path, now_ms=lambda: 1_000)
    assert records.rates.telling == (rate,)
    (found,) = await records.rates.page(None, 10)
    assert ids.created_at_ms(found.key) == 1_000
    assert records.keys.next() > found.key
    await records.close()
