"""opt_out_honour: at once, until the person comes back, confirmed as the rule says; deadlines and times to keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.compliance.facts.opt_outs import OptOutRequest, OptOutTopic, RequestMeans, Scope
from chappe.compliance.facts.recipient import Consent, Facts
from chappe.compliance.kinds.opt_out_honour import OptOutRule, deadline_ms, keep_until_ms
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, SenderProfile
from chappe.model.customer import Amendment, Channel, Content, CustomerMessage, Decision, Outcome, Place, Purpose
from chappe.model.customer import Recipient as To

Build = Callable[..., Any]
At = Callable[[str], int]
RECEIVED_MS = 1_750_000_000_000
DAY_MS = 86_400_000
NOBODY = SenderProfile()
STOP = OptOutRequest(RECEIVED_MS, Channel.SMS, means=RequestMeans.KEYWORD, keyword="STOP")


@pytest.fixture
def decide(rule: Build, message: Build) -> Callable[..., Decision]:
    def run(
        parameters: dict[str, Any],
        *requests: OptOutRequest,
        now_ms: int = RECEIVED_MS + 1,
        consents: tuple[Consent, ...] = (),
        sender: SenderProfile = NOBODY,
        **fields: Any,
    ) -> Decision:
        built = rule("opt_out_honour", parameters, applies_to="both", action="block")
        facts = Facts("US", (), opt_outs=requests, consents=consents, sender=sender)
        return RuleSet([built]).decide(message(**fields), facts, now_ms)

    return run


def grant(at_ms: int, **fields: Any) -> tuple[Consent, ...]:
    return (
        Consent(
            **({"channel": None, "purpose": Purpose.PROMOTIONAL, "granted": True, "recorded_at_ms": at_ms} | fields)
        ),
    )


def test_a_request_is_met_at_once_and_the_deadline_is_told(decide: Callable[..., Decision]) -> None:
    decision = decide({"deadline": 10, "unit": "days"}, STOP, now_ms=RECEIVED_MS)
    assert decision.outcome is Outcome.BLOCK
    assert "with STOP" in decision.rules[0].reason
    assert "2025-06-2" in decision.rules[0].reason
    assert decide({}).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("request_", "channel", "purpose", "blocked"),
    [
        (STOP, "sms", "promotional", True),
        (STOP, "sms", "transactional", True),
        (STOP, "email", "promotional", False),
        (OptOutRequest(RECEIVED_MS, Channel.SMS, Scope.ALL), "email", "transactional", True),
        (OptOutRequest(RECEIVED_MS, None, Scope.PROMOTIONAL), "email", "promotional", True),
        (OptOutRequest(RECEIVED_MS, None, Scope.PROMOTIONAL), "email", "transactional", False),
        (OptOutRequest(RECEIVED_MS, Channel.SMS, Scope.PROMOTIONAL), "email", "promotional", False),
        (OptOutRequest(RECEIVED_MS, None), "push", "transactional", True),
        (OptOutRequest(RECEIVED_MS, None, topic=OptOutTopic.SALE_OR_SHARING), "sms", "promotional", False),
        (OptOutRequest(RECEIVED_MS, None, means=RequestMeans.SIGNAL), "sms", "promotional", False),
        (OptOutRequest(RECEIVED_MS, None, address="+12065550188"), "sms", "promotional", False),
    ],
)
def test_a_request_reaches_as_far_as_it_says(
    decide: Callable[..., Decision], request_: OptOutRequest, channel: str, purpose: str, blocked: bool
) -> None:
    decision = decide({}, request_, channel=Channel(channel), purpose=Purpose(purpose))
    assert (decision.outcome is Outcome.BLOCK) == blocked


@pytest.mark.parametrize(
    ("parameters", "request_"),
    [
        ({"topic": "sale_or_sharing"}, OptOutRequest(RECEIVED_MS, topic=OptOutTopic.SALE_OR_SHARING)),
        ({"includes": ["sale_or_sharing"]}, OptOutRequest(RECEIVED_MS, topic=OptOutTopic.SALE_OR_SHARING)),
        ({"signals": True}, OptOutRequest(RECEIVED_MS, means=RequestMeans.SIGNAL)),
        ({"all_addresses": True}, OptOutRequest(RECEIVED_MS, address="+12065550188")),
    ],
)
def test_a_rule_may_reach_further(
    decide: Callable[..., Decision], parameters: dict[str, Any], request_: OptOutRequest
) -> None:
    assert decide(parameters, request_).outcome is Outcome.BLOCK
    assert decide({}, request_).outcome is Outcome.ALLOW


def test_only_a_later_consent_takes_a_request_back(decide: Callable[..., Decision]) -> None:
    later_ms = RECEIVED_MS + 10
    assert decide({}, STOP, now_ms=later_ms, consents=grant(RECEIVED_MS + 1)).outcome is Outcome.ALLOW
    assert decide({}, STOP, now_ms=later_ms, consents=grant(RECEIVED_MS)).outcome is Outcome.BLOCK
    assert decide({}, STOP, now_ms=later_ms, consents=grant(later_ms + 1)).outcome is Outcome.BLOCK
    expired = grant(RECEIVED_MS + 1, expires_at_ms=later_ms)
    assert decide({}, STOP, now_ms=later_ms, consents=expired).outcome is Outcome.BLOCK
    elsewhere = grant(RECEIVED_MS + 1, channel=Channel.EMAIL)
    assert decide({}, STOP, now_ms=later_ms, consents=elsewhere).outcome is Outcome.BLOCK
    again = msgspec.structs.replace(STOP, received_at_ms=RECEIVED_MS + 5)
    assert decide({}, STOP, again, now_ms=later_ms, consents=grant(RECEIVED_MS + 1)).outcome is Outcome.BLOCK


def test_a_request_goes_on_after_the_time_it_has_to_be_kept_unless_it_lapses(decide: Callable[..., Decision]) -> None:
    parameters = {"keep_for": "30d"}
    ends_ms = RECEIVED_MS + 30 * DAY_MS
    assert decide(parameters, STOP, now_ms=ends_ms).outcome is Outcome.BLOCK
    assert decide(parameters | {"lapses": True}, STOP, now_ms=ends_ms - 1).outcome is Outcome.BLOCK
    assert decide(parameters | {"lapses": True}, STOP, now_ms=ends_ms).outcome is Outcome.ALLOW


def test_a_rule_that_lapses_says_when(rule: Build) -> None:
    with pytest.raises(msgspec.ValidationError, match="lapses"):
        rule("opt_out_honour", {"lapses": True}, action="block")


def test_the_person_is_asked_again_only_after_the_time(decide: Callable[..., Decision]) -> None:
    asking = {"category": "consent_request"}
    ends_ms = RECEIVED_MS + 30 * DAY_MS
    assert decide({"re_ask_after": "30d"}, STOP, now_ms=ends_ms - 1, **asking).outcome is Outcome.BLOCK
    assert decide({"re_ask_after": "30d"}, STOP, now_ms=ends_ms, **asking).outcome is Outcome.ALLOW
    assert decide({}, STOP, now_ms=ends_ms, **asking).outcome is Outcome.BLOCK


def test_one_confirmation_in_time_without_advertising(decide: Callable[..., Decision]) -> None:
    parameters = {"confirmation": {"max": 1, "within": "5m"}}
    confirming = {"category": "opt_out_confirmation", "purpose": Purpose.TRANSACTIONAL}
    ends_ms = RECEIVED_MS + 300_000
    assert decide(parameters, STOP, now_ms=ends_ms - 1, **confirming).outcome is Outcome.ALLOW
    assert decide(parameters, STOP, now_ms=ends_ms, **confirming).outcome is Outcome.BLOCK
    confirmed = msgspec.structs.replace(STOP, confirmations_sent_at_ms=(RECEIVED_MS,))
    assert decide(parameters, confirmed, **confirming).outcome is Outcome.BLOCK
    advertising = confirming | {"purpose": Purpose.PROMOTIONAL}
    assert decide(parameters, STOP, **advertising).outcome is Outcome.BLOCK
    allowed = {"confirmation": {"max": 2, "promotional_content": True}}
    assert decide(allowed, confirmed, **advertising).outcome is Outcome.ALLOW
    assert decide({"confirmation": {"max": 0}}, STOP, **confirming).outcome is Outcome.BLOCK


def test_help_reaches_who_has_opted_out(decide: Callable[..., Decision]) -> None:
    assert decide({}, STOP, category="help_reply", purpose=Purpose.TRANSACTIONAL).outcome is Outcome.ALLOW


def test_a_rule_on_confirmations_alone_asks_nothing_of_other_messages(decide: Callable[..., Decision]) -> None:
    assert decide({"confirmation_only": True}, STOP).outcome is Outcome.ALLOW


def test_the_way_out_is_shown_or_added(decide: Callable[..., Decision]) -> None:
    reply = SenderProfile(unsubscribe=(OptOutMeans(kind=MeansKind.REPLY, value="STOP"),))
    dear = SenderProfile(unsubscribe=(OptOutMeans(kind=MeansKind.REPLY, value="STOP", free=False),))
    wanted = {"mention_required": True}
    assert decide(wanted, sender=reply).amendments == (Amendment(Place.TEXT_END, "Reply STOP to opt out."),)
    shown = {"content": Content(text="Sale. Reply STOP to opt out.")}
    assert decide(wanted, sender=reply, **shown).rules[0].outcome is Outcome.ALLOW
    assert decide(wanted).outcome is Outcome.BLOCK
    assert decide(wanted, sender=dear).outcome is Outcome.ALLOW
    assert decide(wanted | {"free": True}, sender=dear).outcome is Outcome.BLOCK
    assert decide(wanted, purpose=Purpose.TRANSACTIONAL).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("deadline", "unit", "place", "received", "due"),
    [
        (24, "hours", "SA", "2026-03-01T10:00+03:00", "2026-03-02T10:00+03:00"),
        # Good Friday and Easter Monday are no working days in New Zealand.
        (5, "working_days", "NZ", "2026-04-01T12:00+13:00", "2026-04-10T12:00+12:00"),
        # Friday and Saturday are the weekend in Saudi Arabia.
        (2, "business_days", "SA", "2026-03-05T10:00+03:00", "2026-03-09T10:00+03:00"),
    ],
)
def test_deadlines_keep_to_weekends_and_holidays(
    rule: Build, at: At, deadline: int, unit: str, place: str, received: str, due: str
) -> None:
    built: OptOutRule = rule("opt_out_honour", {"deadline": deadline, "unit": unit}, action="block")
    found_ms = deadline_ms(built, at(received), place)
    assert at(due) <= found_ms < at(due) + DAY_MS, "by the hour, or with the end of the day"


def test_the_time_to_keep_is_told(rule: Build) -> None:
    kept: OptOutRule = rule("opt_out_honour", {"keep_for": "1d"}, action="block")
    assert keep_until_ms(kept, 0) == DAY_MS
    assert keep_until_ms(rule("opt_out_honour", {}, action="block"), 0) is None


MOMENTS = st.integers(0, 20)


@settings(deadline=None, max_examples=150)
@given(
    requests=st.lists(
        st.builds(
            OptOutRequest,
            received_at_ms=MOMENTS,
            channel=st.sampled_from([None, *Channel]),
            scope=st.sampled_from(Scope),
        ),
        max_size=3,
    ),
    consents=st.lists(
        st.builds(
            Consent,
            channel=st.sampled_from([None, *Channel]),
            purpose=st.sampled_from(Purpose),
            granted=st.booleans(),
            recorded_at_ms=MOMENTS,
        ),
        max_size=3,
    ),
    now_ms=MOMENTS,
    extra=st.builds(OptOutRequest, received_at_ms=MOMENTS, channel=st.sampled_from([None, *Channel])),
)
def test_a_further_request_never_lets_more_through(
    requests: list[OptOutRequest], consents: list[Consent], now_ms: int, extra: OptOutRequest
) -> None:
    built = msgspec.convert(RULE, OptOutRule)
    message = CustomerMessage(
        "msg-1", To(phone="+12125550123"), Channel.SMS, Purpose.PROMOTIONAL, Content(text="hi"), 0
    )

    def outcome(*opt_outs: OptOutRequest) -> int:
        facts = Facts("US", (), opt_outs=opt_outs, consents=tuple(consents))
        return built.judge(message, facts, now_ms).outcome.strictness

    assert outcome(*requests, extra) >= outcome(*requests)
    assert outcome(*requests) == outcome(*reversed(requests))


RULE = {
    "kind": "opt_out_honour",
    "id": "a-rule",
    "jurisdiction": "*",
    "regulation": "A test",
    "citation": "none",
    "channels": ["any"],
    "applies_to": "both",
    "parameters": {},
    "severity": "low",
    "summary": "A rule of the tests.",
    "source": "the tests",
    "confidence": "house",
}
