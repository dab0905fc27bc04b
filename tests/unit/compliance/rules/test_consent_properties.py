"""What holds of the shipped rules on consent and opt-outs, whatever is on record."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.compliance.facts.consents import ConsentBasis, ConsentMedium, ConsentOrigin
from chappe.compliance.facts.opt_outs import OptOutRequest, RequestMeans, Scope
from chappe.compliance.facts.person import AddressSource
from chappe.compliance.facts.recipient import Consent, ConsentDetails, ConsentLevel, Facts, Person
from chappe.compliance.kinds import AgeRule, ConsentRule, DoubleOptInRule, KeywordRule, OptOutRule, PurposeRule
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, SenderProfile
from chappe.model.customer import Channel, Content, CustomerMessage, Outcome, Purpose, Recipient

KINDS = (AgeRule, ConsentRule, DoubleOptInRule, KeywordRule, OptOutRule, PurposeRule)
RULES = [rule for rule in read_rules(packaged_rule_files()) if isinstance(rule, KINDS)]
SHIPPED = RuleSet(RULES)
DAY_MS = 86_400_000
NOW_MS = 20_600 * DAY_MS
PLACES = sorted({rule.jurisdiction for rule in RULES} - {"*"})
SENDER = SenderProfile(name="Shop", unsubscribe=(OptOutMeans(kind=MeansKind.LINK, value="https://example.com/out"),))
MOMENTS = st.integers(NOW_MS - 1_200 * DAY_MS, NOW_MS)
MAYBE = st.sampled_from([None, True, False])
DETAILS = st.builds(
    ConsentDetails,
    basis=st.sampled_from([None, *ConsentBasis]),
    given_by=st.sampled_from([None, *ConsentMedium]),
    origin=st.sampled_from([None, *ConsentOrigin]),
    pre_ticked=MAYBE,
    notice_at_ms=st.one_of(st.none(), MOMENTS),
    confirmed_at_ms=st.one_of(st.none(), MOMENTS),
    wording=st.sampled_from([None, "yes"]),
    signature=st.sampled_from([None, "A. B."]),
)
CONSENTS = st.builds(
    Consent,
    channel=st.sampled_from([None, *Channel]),
    purpose=st.sampled_from(Purpose),
    granted=st.sampled_from([True, True, False]),
    recorded_at_ms=MOMENTS,
    expires_at_ms=st.one_of(st.none(), MOMENTS),
    level=st.sampled_from([None, *ConsentLevel]),
    details=DETAILS,
)
PEOPLE = st.builds(
    Person,
    is_business=MAYBE,
    has_contract=MAYBE,
    last_purchase_ms=st.one_of(st.none(), MOMENTS),
    last_inquiry_ms=st.one_of(st.none(), MOMENTS),
    address_source=st.sampled_from([None, *AddressSource]),
    could_refuse_at_collection=MAYBE,
    similar_products=MAYBE,
    asked_for_consent_at_ms=st.lists(MOMENTS, max_size=2).map(tuple),
)
REQUESTS = st.builds(
    OptOutRequest,
    received_at_ms=MOMENTS,
    channel=st.sampled_from([None, *Channel]),
    scope=st.sampled_from(Scope),
    means=st.sampled_from([None, *RequestMeans]),
    keyword=st.sampled_from([None, "STOP", "arret"]),
)
MESSAGES = st.builds(
    CustomerMessage,
    id=st.just("msg-1"),
    to=st.just(Recipient(phone="+12125550123")),
    channel=st.sampled_from(Channel),
    purpose=st.sampled_from(Purpose),
    content=st.sampled_from([Content(text="Sale. Unsubscribe: https://example.com/out"), Content(text="hello")]),
    created_at_ms=st.just(0),
    category=st.sampled_from([None, None, "similar_products", "delivery", "consent_request", "healthcare"]),
)


@st.composite
def known(draw: st.DrawFn) -> Facts:
    return Facts(
        draw(st.sampled_from([None, *PLACES])),
        (),
        consents=tuple(draw(st.lists(CONSENTS, max_size=3))),
        person=draw(PEOPLE),
        sender=draw(st.sampled_from([SENDER, SenderProfile()])),
        opt_outs=tuple(draw(st.lists(REQUESTS, max_size=1))),
    )


def with_(facts: Facts, **changes: Any) -> Facts:
    return msgspec.structs.replace(facts, **changes)


@settings(deadline=None, max_examples=150)
@given(message=MESSAGES, facts=known(), chosen=st.sets(st.integers(0, len(RULES) - 1), max_size=12), data=st.data())
def test_a_further_rule_never_lets_more_through(
    message: CustomerMessage, facts: Facts, chosen: set[int], data: st.DataObject
) -> None:
    rules = [RULES[number] for number in chosen]
    extra = data.draw(st.sampled_from(RULES))
    fewer = RuleSet(rules).decide(message, facts, NOW_MS)
    more = RuleSet([*[rule for rule in rules if rule.id != extra.id], extra]).decide(message, facts, NOW_MS)
    assert more.outcome.strictness >= fewer.outcome.strictness
    if more.outcome is Outcome.ALLOW:
        assert set(fewer.amendments) <= set(more.amendments)


@settings(deadline=None, max_examples=200)
@given(message=MESSAGES, facts=known(), channel=st.booleans())
def test_after_a_withdrawal_no_advertising_goes_whatever_else_is_known(
    message: CustomerMessage, facts: Facts, channel: bool
) -> None:
    advertising = msgspec.structs.replace(message, purpose=Purpose.PROMOTIONAL)
    withdrawal = Consent(message.channel if channel else None, Purpose.PROMOTIONAL, False, NOW_MS)
    withdrawn = with_(facts, consents=(*facts.consents, withdrawal))
    assert SHIPPED.decide(advertising, withdrawn, NOW_MS).outcome is Outcome.BLOCK


@settings(deadline=None, max_examples=200)
@given(message=MESSAGES, facts=known())
def test_after_a_request_to_stop_no_advertising_goes(message: CustomerMessage, facts: Facts) -> None:
    advertising = msgspec.structs.replace(message, purpose=Purpose.PROMOTIONAL)
    request = OptOutRequest(NOW_MS, message.channel, keyword="STOP")
    asked = with_(facts, opt_outs=(*facts.opt_outs, request))
    assert SHIPPED.decide(advertising, asked, NOW_MS).outcome is Outcome.BLOCK


@settings(deadline=None, max_examples=200)
@given(message=MESSAGES, facts=known())
def test_a_verdict_does_not_depend_on_the_order_of_the_record(message: CustomerMessage, facts: Facts) -> None:
    turned = with_(facts, consents=facts.consents[::-1], opt_outs=facts.opt_outs[::-1])
    one, other = SHIPPED.decide(message, facts, NOW_MS), SHIPPED.decide(message, turned, NOW_MS)
    assert {(rule.id, rule.outcome) for rule in one.rules} == {(rule.id, rule.outcome) for rule in other.rules}


@settings(deadline=None, max_examples=100)
@given(message=MESSAGES, facts=known())
def test_every_rule_gives_a_reason(message: CustomerMessage, facts: Facts) -> None:
    assert all(rule.reason for rule in SHIPPED.decide(message, facts, NOW_MS).rules)
