"""Rules about content, together: one more rule never lets more through, and never takes back what another adds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.rule_sets.unmet import leniently
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, SenderProfile
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient

KINDS = {
    "unsubscribe_mechanism",
    "sender_identity",
    "postal_address",
    "label",
    "subject_prefix",
    "sender_registration",
    "content_prohibited",
    "language",
    "data_minimisation",
    "data_residency",
}
RULES = [rule for rule in read_rules(packaged_rule_files()) if isinstance(rule, StandingRule) and rule.kind in KINDS]
PLACES = sorted({rule.jurisdiction for rule in RULES} - {"*"})
WORDS = st.sampled_from(
    [
        "Boots 20 % off",
        "Acme",
        "1 Main Street",
        "Reply STOP to opt out.",
        "[QC]",
        "https://bit.ly/x",
        "wine",
        "4111 1111 1111 1111",
        "diagnosis: asthma",
        "Unsubscribe: https://acme.example/stop",
        "(광고)",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map("\n".join)
MEANS = st.builds(OptOutMeans, kind=st.sampled_from(MeansKind), value=st.sampled_from(["STOP", "080-123-4567"]))
PROFILES = st.builds(
    SenderProfile,
    name=st.none() | st.just("Acme"),
    postal_address=st.none() | st.just("1 Main Street"),
    phone=st.none() | st.just("+1 217 555 0100"),
    sms_from=st.none() | st.sampled_from(["ACME", "+12175550100"]),
    unsubscribe=st.lists(MEANS, max_size=2).map(tuple),
    data_region=st.none() | st.sampled_from(["DE", "IN"]),
)
MESSAGES = st.builds(
    CustomerMessage,
    id=st.just("msg_0000000000000001"),
    to=st.just(Recipient(user="ana")),
    channel=st.sampled_from([Channel.EMAIL, Channel.SMS]),
    purpose=st.sampled_from(Purpose),
    content=st.builds(Content, subject=st.none() | WORDS, text=TEXTS),
    created_at_ms=st.just(0),
)
NOW_MS = 1_800_000_000_000


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(RULES), unique_by=lambda rule: rule.id, max_size=8),
    st.sampled_from(RULES),
    MESSAGES,
    st.builds(
        Facts, jurisdiction=st.sampled_from(PLACES), zones=st.just(()), sender=PROFILES, unsubscribe_links=st.booleans()
    ),
)
def test_one_more_rule_never_lets_more_through(
    rules: list[StandingRule], more: StandingRule, message: CustomerMessage, facts: Facts
) -> None:
    rules = [rule for rule in rules if rule.id != more.id]
    before = RuleSet(rules).decide(message, facts, NOW_MS)  # type: ignore[arg-type]
    after = RuleSet([*rules, more]).decide(message, facts, NOW_MS)  # type: ignore[list-item]
    assert after.outcome.strictness >= before.outcome.strictness
    assert {*before.amendments} <= {*after.amendments}


@settings(deadline=None)
@given(
    st.sampled_from(RULES),
    MESSAGES,
    st.builds(Facts, jurisdiction=st.sampled_from(PLACES), zones=st.just(()), sender=PROFILES),
)
def test_to_be_lenient_only_ever_turns_a_block_into_a_note(
    rule: StandingRule, message: CustomerMessage, facts: Facts
) -> None:
    strict = RuleSet([rule]).decide(message, facts, NOW_MS)  # type: ignore[list-item]
    lenient = RuleSet([leniently(rule)]).decide(message, facts, NOW_MS)  # type: ignore[arg-type]
    assert lenient.amendments == strict.amendments
    if rule.action == "block":
        assert lenient == strict
    elif rule.action in ("require", "redact"):
        assert lenient.outcome == "allow"
