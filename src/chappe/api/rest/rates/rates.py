"""Measurements of how messages fare."""

from __future__ import annotations

import msgspec
import structlog

from chappe.api.rest.answers import NO_CONTENT, Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.presenting import moment
from chappe.api.rest.rates.documents import RateRequest, RatesView, RateView
from chappe.compliance.kinds.frequency_cap import FrequencyCapRule
from chappe.compliance.rule_sets.rollout import Rules, rule_sets_of
from chappe.model.errors import InvalidInput, RateNotFound
from chappe.model.sends import Rate
from chappe.pipeline.acceptance.normalise import moment_ms
from chappe.records import ids
from chappe.records.rates import RateRecord

_decoder = msgspec.json.Decoder(RateRequest)
_log = structlog.get_logger("chappe.rest")


async def add_rate(call: Call) -> Answer:
    """POST /v1/rates"""
    request, now_ms = decode(_decoder, call.body), call.server.now_ms()
    at_ms = moment_ms(request.at)
    if at_ms is not None and at_ms > now_ms:
        raise InvalidInput("at lies in the future", pointer="/at")
    rate = Rate(request.metric, now_ms if at_ms is None else at_ms, request.value, request.sender)
    record = RateRecord(call.server.records.keys.next(), rate, request.source, call.client.key_id)
    await call.server.records.rates.add(record)
    _log.info("rate_recorded", metric=rate.metric, value=rate.value, client=call.client.key_id)
    return json_answer(201, _view(record, call.server.pipeline.context.rules))


async def list_rates(call: Call) -> Answer:
    """GET /v1/rates"""
    limit = limit_of(call.query)
    before = cursor_of(call.query, ids.RATE)
    found = await call.server.records.rates.page(before, limit + 1, call.query.get("metric"))
    rules = call.server.pipeline.context.rules
    page = [_view(record, rules) for record in found[:limit]]
    return json_answer(200, RatesView(page, page[-1].id if len(found) > limit else None))


async def remove_rate(call: Call) -> Answer:
    """DELETE /v1/rates/{id}"""
    text = call.path["id"]
    key = ids.parse_key(ids.RATE, text)
    if key is None:
        raise RateNotFound(f"{text!r} is not the id of a measurement; ids look like rat_0123456789abcdef.", id=text)
    await call.server.records.rates.remove(key)
    _log.info("rate_removed", id=text, client=call.client.key_id)
    return NO_CONTENT


def _view(record: RateRecord, rules: Rules) -> RateView:
    rate = record.rate
    return RateView(
        id=ids.key_text(ids.RATE, record.key),
        metric=rate.metric,
        value=rate.value,
        at=moment(rate.at_ms),
        asked_for_by=_asking(rules, rate.metric),
        sender=rate.sender,
        source=record.source,
    )


def _asking(rules: Rules, metric: str) -> list[str]:
    return sorted(
        {
            rule.id
            for rule_set in rule_sets_of(rules)
            for rule in rule_set.rules
            if isinstance(rule, FrequencyCapRule)
            and rule.parameters.rate is not None
            and rule.parameters.rate.metric == metric
        }
    )
