"""What rules say of their inputs is true: nothing but what sways a rule changes its outcome."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.compliance.drawing import ASKED, DAY_MS, MESSAGES, NOW_MS, PLACES_OR_NONE, facts

from chappe.compliance.facts.recipient import Facts, Person
from chappe.compliance.kinds import AnyRule, FrequencyCapRule
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.hours_rule import HoursRule
from chappe.compliance.rule.inputs import EVERYTHING, HEADER, Input, present_in
from chappe.model.categories import ANSWERS
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient

ABSENT: dict[Input, Any] = {
    Input.SUPPRESSIONS: ("suppressions", ()),
    Input.CONSENTS: ("consents", ()),
    Input.OPT_OUTS: ("opt_outs", ()),
    Input.PERSON: ("person", Person()),
    Input.REGISTRIES: ("registries", ()),
    Input.SENDS: ("recent_sends", ()),
    Input.RATES: ("rates", ()),
}
TELLING = ("consent_request", "opt_out_confirmation", "help_reply")
"""Categories that some rules treat as messages of a kind of their own."""
NEVER_ABSENT = Input.CONTENT | Input.CLOCK
SETTLED = [rule for rule in ASKED if not rule.swayed_by & NEVER_ABSENT]


def outcome_of(rule: AnyRule, message: CustomerMessage, known: Facts, now_ms: int) -> object:
    """What the rule says, of hours only whether they are lifted."""
    if isinstance(rule, HoursRule):
        return rule.lift(message, known, now_ms)
    assert isinstance(rule, StandingRule | FrequencyCapRule)
    said = rule.judge(message, known, now_ms)
    if not isinstance(said, tuple):
        return said
    return said[0], max(said[1] - now_ms, 0)


def without_what_sways(rule: AnyRule, message: CustomerMessage, known: Facts) -> tuple[CustomerMessage, Facts]:
    """The message and facts with everything absent that the rule is swayed by."""
    empty = dict(field for entry, field in ABSENT.items() if entry in rule.swayed_by)
    if Input.METADATA in rule.swayed_by:
        message = msgspec.structs.replace(message, metadata=None)
    if Input.ANSWER in rule.swayed_by and message.category in ANSWERS:
        message = msgspec.structs.replace(message, category=None)
    return message, msgspec.structs.replace(known, **empty)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), one=MESSAGES, other=MESSAGES, place=PLACES_OR_NONE, later_ms=st.integers(0, DAY_MS - 1))
def test_a_rule_says_the_same_where_nothing_differs_that_it_declares(
    data: st.DataObject, one: CustomerMessage, other: CustomerMessage, place: str | None, later_ms: int
) -> None:
    of_one, of_other = data.draw(facts(place)), data.draw(facts(place))
    of_other = msgspec.structs.replace(
        of_other, sender=of_one.sender, unsubscribe_links=of_one.unsubscribe_links, jurisdiction=place
    )
    start_ms = NOW_MS // DAY_MS * DAY_MS
    for rule, category in ((rule, category) for rule in SETTLED for category in {one.category, *TELLING}):
        one = msgspec.structs.replace(one, category=category)
        compared = {name: getattr(one, name) for entry, name in HEADER.items() if entry in rule.swayed_by}
        like = msgspec.structs.replace(other, channel=one.channel, purpose=one.purpose, **compared)
        if not rule.binds(one.channel, one.purpose, one.category) or not rule.binds(
            like.channel, like.purpose, like.category
        ):
            continue
        first = outcome_of(rule, *without_what_sways(rule, one, of_one), start_ms)
        second = outcome_of(rule, *without_what_sways(rule, like, of_other), start_ms + later_ms)
        assert first == second, rule.id


def test_most_shipped_rules_are_settled_for_most_messages() -> None:
    assert len(SETTLED) > len(ASKED) / 2


def test_a_rule_that_says_nothing_of_its_inputs_is_swayed_by_all(rule: Any) -> None:
    class Undeclared(StandingRule, frozen=True, kw_only=True):
        def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> Any:
            raise NotImplementedError

    fields = msgspec.structs.asdict(rule("suppression"))
    fields.pop("parameters")
    assert Undeclared(**fields).swayed_by == EVERYTHING


@pytest.mark.parametrize("entry", [*ABSENT, Input.METADATA, Input.ANSWER])
def test_what_is_there_is_found(entry: Input) -> None:
    message = CustomerMessage("m", Recipient(user="a"), Channel.SMS, Purpose.PROMOTIONAL, Content(), 0)
    known = Facts(None, ())
    assert not present_in(message, known) & entry.value
    if entry is Input.METADATA:
        message = msgspec.structs.replace(message, metadata={"a": "b"})
    elif entry is Input.ANSWER:
        message = msgspec.structs.replace(message, category="help_reply")
    else:
        name, _ = ABSENT[entry]
        known = msgspec.structs.replace(known, **{name: Person(language="en") if entry is Input.PERSON else (1,)})
    assert present_in(message, known) & entry.value
