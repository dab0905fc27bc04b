"""Versions of the rule set: make, check, compare, try, put in force, roll back."""

from __future__ import annotations

from typing import Any

import msgspec

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.errors import InvalidParameter
from chappe.api.rest.messages.presenting import decision_view
from chappe.api.rest.paging import limit_of
from chappe.api.rest.places import check_place
from chappe.api.rest.rules.documents import (
    ActivationsView,
    DifferenceView,
    DryDecisionView,
    DryRunView,
    NewRuleSetView,
    RuleSetsView,
    RuleSetWithRulesView,
    ValidationView,
)
from chappe.api.rest.rules.presenting import activation_view, backtest_view, comparison_view, rule_set_view
from chappe.api.rest.rules.requests import (
    ActivationRequest,
    BacktestRequest,
    DryRunRequest,
    NewRuleSetRequest,
    RollbackRequest,
    RulesRequest,
)
from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule_sets.changes import RuleChange, difference
from chappe.compliance.rule_sets.rollout import Stage
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.errors import InvalidInput, RuleSetNotFound
from chappe.pipeline.acceptance.normalise import moment_ms
from chappe.pipeline.rules.backtests import Span
from chappe.pipeline.rules.comparing import Comparing
from chappe.pipeline.rules.rule_sets import RuleSets
from chappe.records.rule_sets import Author

_HOUR_MS = 3_600_000
_WEEK_MS = 7 * 24 * _HOUR_MS
_DRY_RUN_DECISIONS_MAX = 10_000
_VERSION_DIGITS_MAX = 9

_rules_decoder = msgspec.json.Decoder(RulesRequest)
_new_decoder = msgspec.json.Decoder(NewRuleSetRequest)
_activation_decoder = msgspec.json.Decoder(ActivationRequest)
_rollback_decoder = msgspec.json.Decoder(RollbackRequest)
_dry_run_decoder = msgspec.json.Decoder(DryRunRequest)
_backtest_decoder = msgspec.json.Decoder(BacktestRequest)


async def list_rule_sets(call: Call) -> Answer:
    """GET /v1/rule-sets"""
    limit = limit_of(call.query)
    rule_sets = _rule_sets(call)
    found = await rule_sets.records.versions(_number_in(call, "cursor"), limit + 1)
    page = [rule_set_view(summary, rule_sets.active.in_force) for summary in found[:limit]]
    return json_answer(200, RuleSetsView(page, str(page[-1].version) if len(found) > limit else None))


async def create_rule_set(call: Call) -> Answer:
    """POST /v1/rule-sets"""
    request = decode(_new_decoder, call.body)
    rule_sets = _rule_sets(call)
    summary, checked = await rule_sets.create(
        request.rules, _author(call, request.reason), base=request.base, remove=request.remove
    )
    view = rule_set_view(summary, rule_sets.active.in_force)
    return json_answer(201, NewRuleSetView(view, checked.warnings, await _changes(rule_sets, checked.rules)))


async def validate_rules(call: Call) -> Answer:
    """POST /v1/rule-sets:validate"""
    request = decode(_rules_decoder, call.body)
    rule_sets = _rule_sets(call)
    checked = await rule_sets.check(request.rules, request.base, request.remove)
    valid = not checked.problems
    changes = await _changes(rule_sets, checked.rules) if valid else []
    return json_answer(200, ValidationView(valid, len(checked.rules), checked.problems, checked.warnings, changes))


async def get_rule_set(call: Call) -> Answer:
    """GET /v1/rule-sets/{version}"""
    rule_sets = _rule_sets(call)
    stored = await rule_sets.records.get(_version(call))
    rules: list[dict[str, Any]] = msgspec.json.decode(stored.rules)
    return json_answer(200, RuleSetWithRulesView(rule_set_view(stored.summary, rule_sets.active.in_force), rules))


async def diff_rule_sets(call: Call) -> Answer:
    """GET /v1/rule-sets/{version}/diff"""
    rule_sets = _rule_sets(call)
    before_version = _number_in(call, "from") or rule_sets.active.in_force.version
    before, after = await rule_sets.get(before_version), await rule_sets.get(_version(call))
    return json_answer(200, DifferenceView(before.version, after.version, difference(before.rules, after.rules)))


async def activate_rule_set(call: Call) -> Answer:
    """POST /v1/rule-sets/{version}/activate"""
    request = decode(_activation_decoder, call.body)
    version = _version(call)
    stage = None
    if request.jurisdictions or request.percent is not None:
        for number, place in enumerate(request.jurisdictions):
            check_place(place, pointer=f"/jurisdictions/{number}")
        percent = 100.0 if request.percent is None else request.percent
        stage = Stage(version, request.jurisdictions, percent)
    activation = await _rule_sets(call).activate(version, _author(call, request.reason), stage)
    return json_answer(200, activation_view(activation))


async def roll_back_rule_set(call: Call) -> Answer:
    """POST /v1/rule-sets:rollback"""
    request = decode(_rollback_decoder, call.body)
    return json_answer(200, activation_view(await _rule_sets(call).roll_back(_author(call, request.reason))))


async def list_activations(call: Call) -> Answer:
    """GET /v1/rule-sets:history"""
    limit = limit_of(call.query)
    found = await _rule_sets(call).records.history(_number_in(call, "cursor"), limit + 1)
    page = [activation_view(activation) for activation in found[:limit]]
    return json_answer(200, ActivationsView(page, str(page[-1].id) if len(found) > limit else None))


async def dry_run_rule_set(call: Call) -> Answer:
    """POST /v1/rule-sets/{version}/dry-run"""
    request = decode(_dry_run_decoder, call.body)
    pipeline = call.server.pipeline
    rules = await _rule_sets(call).get(_version(call))
    if request.messages is None:
        until_ms = call.server.now_ms()
        span = Span(until_ms - _HOUR_MS, until_ms + 1)
        compared = await pipeline.backtests.dry_run(rules, span, _DRY_RUN_DECISIONS_MAX)
        return json_answer(200, DryRunView(rules.version, last_hour=comparison_view(compared)))
    decisions = []
    for number, message in enumerate(request.messages):
        try:
            decisions.append(await _dry_decision(call, rules, message))
        except InvalidInput as error:
            pointer = f"/messages/{number}{error.details.get('pointer', '')}"
            raise InvalidInput(error.message, **{**error.details, "pointer": pointer}) from None
    return json_answer(200, DryRunView(rules.version, decisions))


async def _dry_decision(call: Call, rules: RuleSet, message: Any) -> DryDecisionView:
    pipeline, at_ms = call.server.pipeline, moment_ms(message.at)
    if at_ms is None:
        at_ms = call.server.now_ms()
    before = await pipeline.evaluate(message, at_ms)
    after = await pipeline.evaluate(message, at_ms, rules)
    changed = Comparing().add(before.message, None, at_ms, before.decision, after.decision) is not None
    return DryDecisionView(changed, decision_view(before.decision), decision_view(after.decision))


async def begin_backtest(call: Call) -> Answer:
    """POST /v1/rule-sets/{version}/backtests"""
    request = decode(_backtest_decoder, call.body)
    rule_sets = _rule_sets(call)
    rules = await rule_sets.get(_version(call))
    against = None if request.against is None else await rule_sets.get(request.against)
    until_ms = moment_ms(request.until)
    if until_ms is None:
        until_ms = call.server.now_ms() + 1
    since_ms = moment_ms(request.since)
    if since_ms is None:
        since_ms = until_ms - _WEEK_MS
    if since_ms >= until_ms:
        raise InvalidInput("since must be earlier than until", pointer="/since")
    backtest = call.server.pipeline.backtests.begin(rules, against, Span(since_ms, until_ms))
    return json_answer(202, backtest_view(backtest))


async def get_backtest(call: Call) -> Answer:
    """GET /v1/rule-sets/{version}/backtests/{id}"""
    return json_answer(200, backtest_view(call.server.pipeline.backtests.get(call.path["id"])))


async def cancel_backtest(call: Call) -> Answer:
    """DELETE /v1/rule-sets/{version}/backtests/{id}"""
    return json_answer(200, backtest_view(await call.server.pipeline.backtests.cancel(call.path["id"])))


async def _changes(rule_sets: RuleSets, rules: tuple[AnyRule, ...]) -> list[RuleChange]:
    return difference((await rule_sets.get(rule_sets.active.in_force.version)).rules, rules)


def _rule_sets(call: Call) -> RuleSets:
    return call.server.pipeline.rule_sets


def _author(call: Call, reason: str) -> Author:
    return Author(call.client.key_id, call.client.name, reason)


def _version(call: Call) -> int:
    text = call.path["version"]
    number = _number(text)
    if number is None:
        raise RuleSetNotFound(f"{text!r} is not a version of the rule set; versions are numbers from 1.", version=text)
    return number


def _number_in(call: Call, parameter: str) -> int | None:
    given = call.query.get(parameter)
    number = None if given is None else _number(given)
    if given is not None and number is None:
        raise InvalidParameter(
            f"{parameter} must be a number of at most {_VERSION_DIGITS_MAX} digits.", parameter=parameter
        )
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _VERSION_DIGITS_MAX else None
