"""Second opinions on what is about to be accepted, and what is known of a message besides its text.

They are asked for before a request is begun: whoever waits here holds no place in the order of arrivals, so that
requests with confident verdicts go past.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from chappe.classify.second.metadata import Metadata
from chappe.compliance.places.locating import locate
from chappe.model.customer import Status
from chappe.model.errors import InvalidInput
from chappe.model.sends import Rate
from chappe.pipeline.acceptance.normalise import normalise_recipient
from chappe.pipeline.acceptance.request import MessageRequest
from chappe.pipeline.background import Pace
from chappe.pipeline.content.checking import SecondVerdict
from chappe.pipeline.context import Context
from chappe.records.messages import Filter
from chappe.records.recipients import recipient_text

COMPLAINT_METRIC = "spam_complaint_rate"
HISTORY_MS = 30 * 86_400_000
HISTORY_MAX = 100
_RECEIVED = frozenset({Status.SENT, Status.DELIVERED})


async def second_verdicts(
    context: Context, requests: Sequence[MessageRequest | InvalidInput], pace: Pace
) -> dict[int, SecondVerdict]:
    """By place, the verdicts with a second opinion on those of which the model is uncertain."""
    check = context.content
    if check is None or check.consultant is None:
        return {}
    uncertain: dict[int, MessageRequest] = {}
    await pace.begin()
    for place, request in enumerate(requests):
        await pace.pause()
        if not isinstance(request, InvalidInput) and check.is_uncertain(request.content, request.template):
            uncertain[place] = request
    found = await asyncio.gather(*[_second_verdict(context, request) for request in uncertain.values()])
    return {place: verdict for place, verdict in zip(uncertain, found, strict=True) if verdict is not None}


async def _second_verdict(context: Context, request: MessageRequest) -> SecondVerdict | None:
    assert context.content is not None
    try:
        metadata = await known_of(context, request)
    except InvalidInput:  # refused in a moment, with the reason
        return None
    return await context.content.second_verdict(request.content, request.template, metadata)


async def known_of(context: Context, request: MessageRequest) -> Metadata:
    """What is known of a message besides its text. Raises `InvalidInput` for a recipient that is none."""
    _, to = normalise_recipient(request.to)
    now_ms = context.now_ms()
    at = datetime.fromtimestamp(now_ms / 1000, UTC) if request.send_at is None else request.send_at
    zones = locate(to).zones
    clock = at.astimezone(ZoneInfo(zones[0])) if zones else None
    earlier = Filter(recipient=recipient_text(to), since_ms=now_ms - HISTORY_MS)
    messages = await context.records.messages.find(earlier, HISTORY_MAX)
    return Metadata(
        reputation=reputation(context.records.rates.telling, request.sender),
        hour=None if clock is None else clock.hour,
        weekday=None if clock is None else clock.weekday(),
        received_30_days=sum(message.status in _RECEIVED for message in messages),
    )


def reputation(rates: Sequence[Rate], sender: str | None) -> float | None:
    """One less the newest rate of complaints about a sender, or about all where none was measured of it."""
    measured = [rate for rate in rates if rate.metric == COMPLAINT_METRIC and rate.sender in (None, sender)]
    if not measured:
        return None
    newest = max(measured, key=lambda rate: (rate.sender is not None, rate.at_ms))
    return 1 - min(1.0, max(0.0, newest.value))
