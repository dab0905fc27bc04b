"""The rules of a version, the one in force unless another is named: which there are, and what one says."""

from __future__ import annotations

from typing import get_args

import msgspec

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.call import Call
from chappe.api.rest.errors import InvalidParameter
from chappe.api.rest.paging import limit_of
from chappe.api.rest.query import one_of
from chappe.api.rest.rules.documents import RulesView, RuleView
from chappe.api.rest.rules.presenting import rule_summary_view
from chappe.compliance.kinds import AnyRule
from chappe.compliance.places.jurisdictions import fault_of
from chappe.compliance.rule.base import ANY_CHANNEL
from chappe.compliance.rule.conditions import condition_of
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel
from chappe.model.errors import RuleNotFound, RuleSetNotFound
from chappe.model.jurisdictions import lineage

RULES_MAX = 1_000
KINDS = sorted(str(kind.__struct_config__.tag) for kind in get_args(AnyRule))


async def list_rules(call: Call) -> Answer:
    """GET /v1/rules"""
    limit = limit_of(call.query, default=RULES_MAX, most=RULES_MAX)
    rules = await _rules(call)
    after = call.query.get("cursor", "")
    chosen = sorted((rule for rule in _filtered(call, rules) if rule.id > after), key=lambda rule: rule.id)
    page = [rule_summary_view(rule) for rule in chosen[:limit]]
    return json_answer(200, RulesView(rules.version, page, page[-1].id if len(chosen) > limit else None))


async def get_rule(call: Call) -> Answer:
    """GET /v1/rules/{id}"""
    rules = await _rules(call)
    rule_id = call.path["id"]
    rule = next((rule for rule in rules.rules if rule.id == rule_id), None)
    if rule is None:
        raise RuleNotFound(f"There is no rule {rule_id!r} in version {rules.version}.", id=rule_id)
    failures = None if rule.condition is None else condition_of(rule.condition).failures
    return json_answer(200, RuleView(rules.version, msgspec.to_builtins(rule), failures))


def _filtered(call: Call, rules: RuleSet) -> list[AnyRule]:
    query = call.query
    channel, kind, place = one_of(Channel, query, "channel"), query.get("kind"), query.get("jurisdiction")
    if kind is not None and kind not in KINDS:
        raise InvalidParameter(f"kind must be one of: {', '.join(KINDS)}.", parameter="kind")
    if place is not None and (fault := fault_of(place)) is not None:
        raise InvalidParameter(f"jurisdiction: {fault}.", parameter="jurisdiction")
    places = None if place is None else lineage(place)
    return [
        rule
        for rule in rules.rules
        if (kind is None or rule.kind == kind)
        and (channel is None or ANY_CHANNEL in rule.channels or channel in rule.channels)
        and (places is None or rule.jurisdiction in places)
    ]


async def _rules(call: Call) -> RuleSet:
    rule_sets = call.server.pipeline.rule_sets
    given = call.query.get("version")
    if given is None:
        return await rule_sets.get(rule_sets.active.in_force.version)
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise RuleSetNotFound(f"{given!r} is not a version of the rule set.", version=given)
    return await rule_sets.get(int(given))
