"""The rules shipped with Chappe: each loads, stands on a source, decides something and lets something pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.facts.recipient import Consent, ConsentDetails, ConsentLevel, Facts, Suppression, locate
from chappe.compliance.kinds import AnyRule, ConsentRule, SuppressionRule
from chappe.compliance.rule.base import AppliesTo, Confidence, DutyRule
from chappe.compliance.rule.hours_rule import HoursRule
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.rule_set import RuleSet, load_rule_set
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, Registration, Template
from chappe.demo.sender import ACME
from chappe.model.customer import Channel, Content, CustomerMessage, Outcome, Purpose, Recipient

Build = Callable[..., Any]
At = Callable[[str], int]
HOUR_MS = 3_600_000
A_MONDAY_MS = 1_800_230_400_000  # 2027-01-18T00:00:00Z
RULES = read_rules(packaged_rule_files())
MESSAGE_RULES = [rule for rule in RULES if not isinstance(rule, DutyRule)]
SHIPPED = load_rule_set()


def _named(rule: AnyRule) -> str:
    return rule.id


def _example(rule: AnyRule, message: Build) -> tuple[CustomerMessage, Facts]:
    """A message that the rule binds, with nothing else known of its recipient."""
    channel = next((Channel(name) for name in rule.channels if name != "any"), Channel.SMS)
    purpose = Purpose.TRANSACTIONAL if rule.applies_to is AppliesTo.TRANSACTIONAL else Purpose.PROMOTIONAL
    jurisdiction = None if rule.jurisdiction == "*" else rule.jurisdiction
    zones = () if jurisdiction else ("Europe/Paris",)
    category = rule.categories[0] if rule.categories else None
    return message(channel=channel, purpose=purpose, category=category), Facts(jurisdiction, zones)


def _decided_and_passed(rule: AnyRule, message: CustomerMessage, facts: Facts) -> list[tuple[Facts, int]]:
    """Facts and a moment at which the rule acts, and at which it does not."""
    if isinstance(rule, SuppressionRule):
        stopped = (Suppression(message.to.address, None, None, "STOP", 0),)
        return [(msgspec.structs.replace(facts, suppressions=stopped), A_MONDAY_MS), (facts, A_MONDAY_MS)]
    if isinstance(rule, ConsentRule):
        grant = Consent(message.channel, message.purpose, True, A_MONDAY_MS, level=ConsentLevel.WRITTEN)
        return [(facts, A_MONDAY_MS), (msgspec.structs.replace(facts, consents=(grant,)), A_MONDAY_MS)]
    assert isinstance(rule, HoursRule)
    rules = RuleSet([rule])
    week = [A_MONDAY_MS + hour * HOUR_MS for hour in range(7 * 24)]
    verdicts = [(rules.decide(message, facts, moment).outcome is Outcome.ALLOW, moment) for moment in week]
    closed = next(moment for is_open, moment in verdicts if not is_open)
    opened = next(moment for is_open, moment in verdicts if is_open)
    return [(facts, closed), (facts, opened)]


@pytest.mark.parametrize("rule", MESSAGE_RULES, ids=_named)
def test_each_rule_decides_one_message_and_lets_another_pass(rule: AnyRule, message: Build) -> None:
    """By its own examples (run by test_examples), or, where it has none yet, by those made here."""
    if rule.examples:
        says = {example.says for example in rule.examples}
        assert Outcome.ALLOW in says
        assert len(says) > 1
        return
    example, facts = _example(rule, message)
    (against, then), (in_favour, later) = _decided_and_passed(rule, example, facts)
    alone = RuleSet([rule])
    decided, passed = alone.decide(example, against, then), alone.decide(example, in_favour, later)
    assert (decided.outcome, decided.rules[0].id) == (Outcome(rule.action), rule.id)
    assert (passed.outcome, passed.rules[0].id) == (Outcome.ALLOW, rule.id)


@pytest.mark.parametrize("rule", MESSAGE_RULES, ids=_named)
def test_each_rule_reaches_its_messages_in_the_whole_set(rule: AnyRule, message: Build) -> None:
    example, facts = _example(rule, message)
    decision = SHIPPED.decide(example, facts, A_MONDAY_MS)
    assert (rule.id in [applied.id for applied in decision.rules]) is rule.enabled


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_each_rule_stands_on_something(rule: AnyRule) -> None:
    assert rule.summary.endswith(".")
    if rule.confidence is Confidence.VERIFIED:
        assert "https://" in rule.source or "http://" in rule.source
        assert rule.source_type != "none"
    if rule.confidence is Confidence.HOUSE:
        assert rule.jurisdiction == "*"


def test_a_file_holds_the_rules_of_its_jurisdiction() -> None:
    for source in packaged_rule_files():
        name = source.name.removesuffix(".yaml").upper()
        places = {rule.jurisdiction for rule in read_rules([source])}
        assert places == ({"*"} if name in ("DEFAULT", "WORLD") else {name})


def test_the_first_jurisdictions_are_there() -> None:
    places = {rule.jurisdiction for rule in RULES}
    assert {"*", "US", "GB", "EU", "DE", "FR", "IN", "CA", "AU", "BR"} <= places


CONSENTS = tuple(
    Consent(
        channel,
        Purpose.PROMOTIONAL,
        True,
        1_700_000_000_000,
        level=ConsentLevel.WRITTEN,
        proof="the form as signed",
        details=ConsentDetails(notice_at_ms=1_700_000_000_000, confirmed_at_ms=1_700_000_000_000),
    )
    for channel in Channel
)
"""An agreement of November 2023 that meets every law, for each channel."""


TEXT = "Acme: sale today. STOP au 36179"
CODE = "Acme: your code is 123456."
DLT = {"pe_id": "1101", "telemarketer_chain": "1102"}
TEMPLATES = (Template(id="1", text=TEXT), Template(id="2", text=CODE))
SENDER = msgspec.structs.replace(
    ACME,
    business_number="ABN 12 345 678 901",
    sms_from="36179",
    unsubscribe=(OptOutMeans(kind=MeansKind.REPLY, value="STOP"),),
    registrations=(
        Registration(
            register="DLT",
            country="IN",
            id="600123",
            purposes=(Purpose.PROMOTIONAL,),
            particulars=DLT,
            templates=TEMPLATES,
        ),
        Registration(
            register="DLT",
            country="IN",
            id="ACMEIN",
            purposes=(Purpose.TRANSACTIONAL,),
            particulars=DLT,
            templates=TEMPLATES,
        ),
        Registration(register="TCR", country="US", id="36179"),
        Registration(register="ACMA", country="AU", id="36179"),
    ),
)
"""A sender that is what every law wants to know."""


@pytest.mark.parametrize(
    ("to", "channel", "now", "outcome", "until"),
    [
        # A newsletter to Berlin late in the evening waits for the morning there.
        ({"email": "a@example.de"}, "email", "2026-01-14T22:00+01:00", "defer", "2026-01-15T08:00+01:00"),
        # A text to Paris on Saturday evening skips Sunday; the next day is Easter Monday.
        ({"phone": "+33612345678"}, "sms", "2026-04-04T20:00+02:00", "defer", "2026-04-07T08:00+02:00"),
        # A text to India keeps to the hours of the operators, which are narrower than the house's.
        ({"phone": "+919812345678"}, "sms", "2026-01-14T09:30+05:30", "defer", "2026-01-14T10:00+05:30"),
        # A call in Canada on a Sunday evening waits for Monday.
        ({"phone": "+16135550123"}, "voice", "2026-01-18T18:00-05:00", "defer", "2026-01-19T09:00-05:00"),
        # An Australian mobile may be anywhere from Cocos to Sydney.
        ({"phone": "+61412345678"}, "sms", "2026-01-14T08:00+11:00", "defer", "2026-01-14T08:00+06:30"),
        ({"phone": "+12125550123"}, "sms", "2026-01-14T12:00-05:00", "allow", None),
        ({"email": "a@example.com"}, "email", "2026-01-14T03:00+00:00", "allow", None),
        ({"url": "https://example.com/hook"}, "webhook", "2026-01-14T03:00+00:00", "allow", None),
    ],
)
def test_promotional_messages_with_consent(
    message: Build, at: At, to: dict[str, str], channel: str, now: str, outcome: str, until: str | None
) -> None:
    recipient = Recipient(**to)
    where = locate(recipient)
    facts = Facts(where.jurisdiction, where.zones, consents=CONSENTS, sender=SENDER, unsubscribe_links=True)
    newsletter = message(to=recipient, channel=Channel(channel), content=Content(text=TEXT), template="1")
    decision = SHIPPED.decide(newsletter, facts, at(now))
    assert decision.outcome.value == outcome
    assert decision.until_ms == (at(until) if until else None)


@pytest.mark.parametrize("channel", list(Channel))
def test_without_consent_no_promotion_goes_out_anywhere(message: Build, channel: Channel) -> None:
    for jurisdiction in (None, "US", "DE", "IN", "BR", "XX"):
        decision = SHIPPED.decide(message(channel=channel), Facts(jurisdiction, ()), A_MONDAY_MS)
        assert decision.outcome is Outcome.BLOCK


@pytest.mark.parametrize("channel", list(Channel))
def test_a_one_time_code_goes_out_at_any_hour_unless_suppressed(message: Build, channel: Channel) -> None:
    code = message(
        channel=channel,
        purpose=Purpose.TRANSACTIONAL,
        category="one_time_code",
        content=Content(text=CODE),
        template="2",
    )
    stopped = (Suppression(code.to.address, None, None, "bounced", 0),)
    for jurisdiction in (None, "US", "DE", "FR", "IN", "BR"):
        code = msgspec.structs.replace(code, sender="38123" if jurisdiction == "FR" else None)
        for hour in range(24):
            now_ms = A_MONDAY_MS + hour * HOUR_MS
            facts = Facts(jurisdiction, (), sender=SENDER)
            assert SHIPPED.decide(code, facts, now_ms).outcome is Outcome.ALLOW
        facts = Facts(jurisdiction, (), stopped)
        assert SHIPPED.decide(code, facts, A_MONDAY_MS).outcome is Outcome.BLOCK
