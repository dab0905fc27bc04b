"""What the rules in force say of requests to stop: by when they have to be met, and which words are ones."""

from __future__ import annotations

from chappe.compliance.kinds.opt_out_honour import OptOutRule
from chappe.compliance.kinds.opt_out_keyword import keyword_rules
from chappe.compliance.opt_out.deadlines import HonourTerm, due_at_ms
from chappe.compliance.places.locating import Locale
from chappe.compliance.rule_sets.rollout import Rollout, Rules
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Purpose, Recipient
from chappe.model.jurisdictions import lineage
from chappe.records.opt_outs import Deadline


def honour_deadlines(
    rules: Rules, to: Recipient, where: Locale, channel: Channel, purpose: Purpose | None, received_at_ms: int
) -> tuple[Deadline, ...]:
    """One deadline per rule that binds a request about this channel from somebody there, the earliest first.

    `purpose` None is a request about messages of every purpose. Rules count that are in force on receipt.
    """
    places = {place for somewhere in _possible(where) for place in lineage(somewhere)}
    found = []
    for rule in rule_set_for(rules, to, where.jurisdiction).rules:
        if not isinstance(rule, OptOutRule) or rule.jurisdiction not in places:
            continue
        amount = rule.parameters.deadline
        if amount is not None and _is_about(rule, channel, purpose, received_at_ms):
            term = HonourTerm(rule.id, amount, rule.parameters.unit, where.jurisdiction or rule.jurisdiction)
            found.append(Deadline(rule.id, due_at_ms(term, received_at_ms, where.zones)))
    return tuple(sorted(found, key=lambda deadline: (deadline.due_at_ms, deadline.rule)))


def opt_out_words(rules: Rules, to: Recipient, where: Locale, channel: Channel, now_ms: int) -> tuple[str, ...]:
    """The words that rules in force say are an opt-out when this person, who is there, answers with them."""
    asked = rule_set_for(rules, to, where.jurisdiction).rules
    found = (rule for place in _possible(where) for rule in keyword_rules(asked, place, channel, now_ms))
    words = (word for rule in found if rule.parameters.intent == "opt_out" for word in rule.parameters.keywords)
    return tuple(dict.fromkeys(words))


def _possible(where: Locale) -> tuple[str | None, ...]:
    """Every place whose rules bind: of several parts of a country, those of each."""
    return (where.jurisdiction, *where.also_in)


def _is_about(rule: OptOutRule, channel: Channel, purpose: Purpose | None, at_ms: int) -> bool:
    start_ms, end_ms = rule.in_force_ms()
    asked = (purpose,) if purpose else tuple(Purpose)
    return start_ms <= at_ms < end_ms and any(rule.binds(channel, entry) for entry in asked)


def rule_set_for(rules: Rules, to: Recipient, jurisdiction: str | None) -> RuleSet:
    """The one that decides for this recipient."""
    if isinstance(rules, Rollout):
        return rules.set_for(to, jurisdiction)
    assert isinstance(rules, RuleSet), "rules are one set, or a rollout of two"
    return rules
