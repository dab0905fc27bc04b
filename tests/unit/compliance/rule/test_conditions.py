from __future__ import annotations

import contextlib
import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.compliance.conftest import Build, utc_ms

from chappe.compliance.facts.person import Person
from chappe.compliance.facts.recipient import Facts, RecentSend
from chappe.compliance.rule.conditions import MAX_CHARACTERS, MAX_TEXT_BYTES, VARIABLES, Condition
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Content, CustomerMessage, Outcome, Purpose, Recipient

NOON = utc_ms("2026-03-04T12:00")
NOBODY = Facts(jurisdiction=None, zones=())
_MESSAGE = CustomerMessage(
    "msg-1", Recipient(user="ana"), Channel.IN_APP, Purpose.PROMOTIONAL, Content(text="hello"), created_at_ms=0
)


def facts(**fields: Any) -> Facts:
    return Facts(**({"jurisdiction": "US-NY", "zones": ("America/New_York",)} | fields))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('message.channel == "sms"', True),
        ('message.channel == "email"', False),
        ('message.purpose == "promotional" && recipient.country == "US"', True),
        ('recipient.jurisdiction == "US-NY"', True),
        ('recipient.zones.exists(zone, zone.startsWith("America/"))', True),
        ('recipient.address.endsWith("0123")', True),
        ('message.metadata.plan == "gold"', True),
        ('"tier" in message.metadata', False),
        ('message.content.text.matches("(?i)casino|poker")', True),
        ("message.content.subject == null", True),
        ('message . channel == "sms"', True),
        ("person.age >= 18", True),
        ("person.age == 35", True),
        ("person.customer_for_days >= 30", True),
        ("person.is_business", False),
        ('now.getHours("America/New_York") == 7', True),
        ('now > timestamp("2026-01-01T00:00:00Z")', True),
    ],
)
def test_what_a_condition_sees(text: str, holds: bool, message: Build) -> None:
    known = facts(
        person=Person(
            birth_date=datetime.date(1990, 6, 1), is_business=False, customer_since_ms=NOON - 31 * 24 * 3_600_000
        )
    )
    asked = message(content=Content(text="Poker tonight!"), metadata={"plan": "gold"})
    verdict = Condition(text).ask(asked, known, NOON)
    assert (verdict.holds, verdict.failure) == (holds, "")


def test_somebody_comes_of_age_where_the_day_begins_last(message: Build) -> None:
    known = facts(person=Person(birth_date=datetime.date(2008, 3, 4)))
    of_age = Condition("person.age >= 18")
    assert not of_age.ask(message(), known, utc_ms("2026-03-04T11:59")).holds
    assert of_age.ask(message(), known, utc_ms("2026-03-04T12:00")).holds


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('message.chanel == "sms"', "line 1, character 8: undeclared reference to 'message.chanel'"),
        ('message.channel == "sms" &&\nperson.agee > 3', "line 2, character 7: undeclared reference"),
        ("message.channel == 3", "no matching overload"),
        ('person.age == "18"', "no matching overload"),
        ("message.channel", "must come to true or false, not to string"),
        ("", "Syntax error"),
        ("true true", "Syntax error"),
        ('message.content.text.matches("(")', "at character 30: invalid regular expression"),
        ("open('/etc/passwd') == ''", "undeclared reference to 'open'"),
        ("(" * 40 + "true" + ")" * 40, "recursion limit"),
        ("true" + " || true" * MAX_CHARACTERS, f"at most {MAX_CHARACTERS} are allowed"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_compiled(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"^") as caught:
        Condition(text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("person.age >= 18", "not known"),
        ('message.metadata.plan == "gold"', "a key that is not there"),
        ("person.is_business", "it came to null"),
        ("1 / size(recipient.zones) == 1", "it divides by zero"),
        ('message.content.text.matches(message.content.text + "(")', "a pattern is not valid"),
        ("int(message.content.text) == 3", "it failed"),
    ],
)
def test_what_cannot_be_answered_takes_the_strict_side_and_is_counted(text: str, failure: str, message: Build) -> None:
    condition = Condition(text)
    for count in (1, 2):
        verdict = condition.ask(message(), NOBODY, NOON)
        assert verdict.holds
        assert failure in verdict.failure
        assert condition.failures == count


def test_a_null_can_be_the_answer_any_number_of_times(message: Build) -> None:
    """Version 0.1.3 of the library ends the process when the value of enough nulls is asked for."""
    condition = Condition("person.is_business")
    for _ in range(20_000):
        assert condition.ask(message(), NOBODY, NOON).holds


def test_work_without_end_is_ended(message: Build) -> None:
    hundred = "[" + ",".join("1" * 100) + "]"
    condition = Condition(f"{hundred}.all(a, {hundred}.all(b, {hundred}.all(c, a + b + c > 0)))")
    assert "too many steps" in condition.ask(message(), NOBODY, NOON).failure


def test_content_that_is_too_long_takes_the_strict_side(message: Build) -> None:
    condition = Condition('message.content.text.contains("casino")')
    assert not condition.ask(message(content=Content(text="x" * MAX_TEXT_BYTES)), NOBODY, NOON).holds
    assert (
        "longer" in condition.ask(message(content=Content(text="é" * (MAX_TEXT_BYTES // 2 + 1))), NOBODY, NOON).failure
    )
    assert (
        not Condition('message.channel == "email"')
        .ask(message(content=Content(text="x" * (MAX_TEXT_BYTES + 1))), NOBODY, NOON)
        .holds
    )


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert Condition(text).ask(_MESSAGE, NOBODY, NOON).holds in (True, False)


def test_every_variable_can_be_named(message: Build) -> None:
    for variable in VARIABLES:
        verdict = Condition(f"dyn({variable.name}) != 'nothing of the kind'").ask(message(), NOBODY, NOON)
        assert (verdict.holds, verdict.failure) == (True, ""), variable.name


def test_a_rule_binds_only_when_its_condition_is_true(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("consent_required", {"level": "express"}, condition='"vip" in message.metadata')])
    assert rules.decide(message(), facts(), NOON).rules == ()
    assert rules.decide(message(metadata={"vip": "yes"}), facts(), NOON).outcome is Outcome.BLOCK


def test_hours_and_caps_can_have_conditions_too(rule: Build, message: Build) -> None:
    only_here = 'recipient.jurisdiction == "US-NY"'
    rules = RuleSet(
        [
            rule("quiet_hours", {"start": "09:00", "end": "10:00"}, condition=only_here),
            rule("frequency_cap", {"caps": [{"limit": 1, "per": "24h"}]}, condition=only_here),
        ]
    )
    sent = (RecentSend(NOON - 60_000, Channel.SMS),)
    assert rules.decide(message(), facts(recent_sends=sent), NOON).outcome is Outcome.DEFER
    elsewhere = facts(jurisdiction="US-FL", recent_sends=sent)
    assert rules.decide(message(), elsewhere, NOON).outcome is Outcome.ALLOW
    assert rules.decide(message(), elsewhere, NOON).rules == ()


def test_a_rule_whose_condition_cannot_be_answered_binds_and_says_so(rule: Build, message: Build) -> None:
    rules = RuleSet([rule("consent_required", {"level": "express"}, condition="person.age < 18")])
    decision = rules.decide(message(), facts(), NOON)
    assert decision.outcome is Outcome.BLOCK
    assert "could not be answered" in decision.rules[0].reason
    grown = facts(person=Person(birth_date=datetime.date(1990, 1, 1)))
    assert rules.decide(message(), grown, NOON).outcome is Outcome.ALLOW


def test_conditions_of_transactional_messages(rule: Build, message: Build) -> None:
    rules = RuleSet(
        [
            rule("suppression", condition='message.purpose == "transactional"'),
            rule("consent_required", {"level": "express"}),
        ]
    )
    said = [outcome.id for outcome in rules.decide(message(purpose=Purpose.TRANSACTIONAL), facts(), NOON).rules]
    assert said == ["test-suppression"]
    said = [outcome.id for outcome in rules.decide(message(), facts(), NOON).rules]
    assert said == ["test-consent-required"]


def test_every_variable_is_documented() -> None:
    page = Path(__file__).parents[4].joinpath("docs", "rule-sets.md").read_text(encoding="utf-8")
    for variable in VARIABLES:
        kind = f"{variable.type} or null" if variable.nullable else variable.type
        assert f"| `{variable.name}` | {kind} | {variable.says} |" in page
