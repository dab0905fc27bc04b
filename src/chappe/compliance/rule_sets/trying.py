"""Running a rule's own examples: what it says of each, beside what it is said to say."""

from __future__ import annotations

import msgspec

from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule.base import AppliesTo, DutyRule, Rule
from chappe.compliance.rule.examples import Example
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.rule_sets.trying_duties import DutyTrial, try_duty_example
from chappe.model.customer import Channel, Decision, Outcome, Purpose


class Trial(msgspec.Struct, frozen=True):
    """An example and what came of it. `found` is allow where the rule had nothing to say."""

    rule_id: str
    example: Example
    found: Outcome
    reason: str
    decision: Decision

    @property
    def as_told(self) -> bool:
        """Whether the rule says what the example tells."""
        until_ms = None if self.example.until is None else int(self.example.until.timestamp() * 1000)
        return self.found is self.example.says and until_ms in (None, self.decision.until_ms)


def trials(rule: AnyRule) -> list[Trial | DutyTrial]:
    """Every example of a rule, tried."""
    if isinstance(rule, DutyRule):
        return [try_duty_example(rule, example) for example in rule.examples]
    return [try_example(rule, example) for example in rule.examples]


def try_example(rule: AnyRule, example: Example) -> Trial:
    """Decide the example by this rule alone, taken as enabled."""
    rules = RuleSet([msgspec.structs.replace(rule, enabled=True)])
    message = example.written(usual_channel(rule), usual_purpose(rule))
    if message.category is None and rule.categories:
        message = msgspec.structs.replace(message, category=rule.categories[0])
    decision = rules.decide(message, example.known(rule.jurisdiction), example.at_ms)
    said = next((outcome for outcome in decision.rules if outcome.id == rule.id), None)
    if said is None:
        return Trial(rule.id, example, Outcome.ALLOW, "the rule has nothing to say of this message", decision)
    return Trial(rule.id, example, said.outcome, said.reason, decision)


def usual_channel(rule: Rule) -> Channel:
    """The channel of an example that names none."""
    return next((Channel(name) for name in rule.channels if name in set(Channel)), Channel.EMAIL)


def usual_purpose(rule: Rule) -> Purpose:
    """The purpose of an example that names none."""
    return Purpose.TRANSACTIONAL if rule.applies_to is AppliesTo.TRANSACTIONAL else Purpose.PROMOTIONAL
