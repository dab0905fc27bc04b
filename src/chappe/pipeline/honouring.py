"""What the rules in force allow for meeting a request to stop."""

from __future__ import annotations

from chappe.compliance.jurisdictions import lineage
from chappe.compliance.locating import locate
from chappe.compliance.opt_out.deadlines import HonourTerm
from chappe.compliance.rollout import Rollout, Rules
from chappe.compliance.ruleset import RuleSet
from chappe.model.customer import Channel, Purpose, Recipient

_KIND = "opt_out_honour"
_DEFAULT_UNIT = "days"


def honour_terms(
    rules: Rules, to: Recipient, channel: Channel, purpose: Purpose | None, now_ms: int
) -> tuple[HonourTerm, ...]:
    """The terms that bind a request of this person about this channel; `purpose` None is a request about every one."""
    jurisdiction = locate(to).jurisdiction
    places = lineage(jurisdiction)
    found = []
    for rule in _rule_set(rules, to, jurisdiction).rules:
        if rule.kind != _KIND or rule.jurisdiction not in places:
            continue
        if not any(rule.binds(channel, asked) for asked in ((purpose,) if purpose else Purpose)):
            continue
        start_ms, end_ms = rule.in_force_ms()
        amount = getattr(rule.parameters, "deadline", None)
        if start_ms <= now_ms < end_ms and amount is not None:
            unit = str(getattr(rule.parameters, "unit", None) or _DEFAULT_UNIT)
            found.append(HonourTerm(rule.id, amount, unit, jurisdiction or rule.jurisdiction))
    return tuple(found)


def _rule_set(rules: Rules, to: Recipient, jurisdiction: str | None) -> RuleSet:
    if isinstance(rules, Rollout):
        return rules.set_for(to, jurisdiction)
    assert isinstance(rules, RuleSet), "rules are one set, or a rollout of two"
    return rules
