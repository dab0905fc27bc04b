"""double_opt_in: only a confirmed consent counts, and the opt-in is confirmed in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.facts.recipient import Consent, ConsentDetails, ConsentLevel, Facts
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.compliance.sender.profile import SenderProfile
from chappe.model.customer import Amendment, Channel, Content, Decision, Outcome, Place, Purpose
from chappe.model.sends import RecentSend

Build = Callable[..., Any]
DAY_MS = 86_400_000
ASKED_MS = 20_000 * DAY_MS
NOW_MS = ASKED_MS + 30 * DAY_MS
LINK = {"confirm_link": True, "token_ttl": "7d"}
PROGRAMME = {"confirmation": ["brand", "frequency", "msg_and_data_rates", "help", "stop"], "recurring_programs": True}
SHOP = SenderProfile(name="Shoe Shop")


def grant(level: ConsentLevel | None = None, **details: Any) -> Consent:
    return Consent(
        Channel.SMS, Purpose.PROMOTIONAL, True, ASKED_MS, level=level, details=ConsentDetails(**details), proof="a form"
    )


@pytest.fixture
def decide(rule: Build, message: Build) -> Callable[..., Decision]:
    def run(parameters: dict[str, Any], *consents: Consent, text: str = "Sale", **given: Any) -> Decision:
        facts = {k: given.pop(k) for k in ("sender", "recent_sends") if k in given}
        built = rule("double_opt_in", parameters, applies_to="both", action="require")
        known = Facts("DE", (), consents=consents, **facts)
        return RuleSet([built]).decide(message(content=Content(text=text), **given), known, NOW_MS)

    return run


@pytest.mark.parametrize(
    ("consent", "outcome"),
    [
        (grant(), "block"),
        (grant(confirmed_at_ms=ASKED_MS + 7 * DAY_MS - 1), "allow"),
        (grant(confirmed_at_ms=ASKED_MS + 7 * DAY_MS), "block"),
        (grant(confirmed_at_ms=ASKED_MS + 8 * DAY_MS, confirmation_sent_at_ms=ASKED_MS + 2 * DAY_MS), "allow"),
        (grant(confirmed_at_ms=NOW_MS + 1), "block"),
        (grant(ConsentLevel.DOUBLE_OPT_IN), "allow"),
        (grant(ConsentLevel.WRITTEN), "allow"),
        (grant(ConsentLevel.EXPRESS, confirmed_at_ms=ASKED_MS + 1), "block"),
        (grant(ConsentLevel.IMPLIED), "block"),
    ],
)
def test_a_consent_counts_once_it_is_confirmed_in_time(
    decide: Callable[..., Decision], consent: Consent, outcome: str
) -> None:
    assert decide(LINK, consent).outcome.value == outcome


def test_one_confirmed_consent_is_enough_and_none_is_for_other_rules(decide: Callable[..., Decision]) -> None:
    confirmed = grant(confirmed_at_ms=ASKED_MS + 1)
    assert decide(LINK, grant(), confirmed).outcome is Outcome.ALLOW
    assert decide(LINK, confirmed, grant()).outcome is Outcome.ALLOW
    assert decide(LINK).outcome is Outcome.ALLOW


def test_what_happened_must_be_on_record(decide: Callable[..., Decision]) -> None:
    asked = LINK | {"log": ["ip", "confirm_timestamp"]}
    decision = decide(asked, grant(confirmed_at_ms=ASKED_MS + 1))
    assert decision.rules[0].reason == "of the double opt-in this is not on record: ip"
    assert decide(asked, grant(confirmed_at_ms=ASKED_MS + 1, ip="192.0.2.1")).outcome is Outcome.ALLOW
    assert decide(asked, grant(ConsentLevel.DOUBLE_OPT_IN, ip="192.0.2.1")).outcome is Outcome.BLOCK


def test_the_request_to_confirm_is_no_advertising(decide: Callable[..., Decision]) -> None:
    asked = LINK | {"confirmation_mail_ad_free": True}
    category = "double_opt_in_confirmation"
    assert decide(asked, category=category).outcome is Outcome.BLOCK
    assert decide(asked, category=category, purpose=Purpose.TRANSACTIONAL).outcome is Outcome.ALLOW
    assert decide(LINK, category=category).outcome is Outcome.ALLOW


def test_the_confirmation_of_an_opt_in_is_completed(decide: Callable[..., Decision]) -> None:
    decision = decide(PROGRAMME, sender=SHOP, category="opt_in_confirmation", text="Welcome! 4 msgs/month.")
    assert decision.amendments == (
        Amendment(Place.TEXT_START, "Shoe Shop:"),
        Amendment(Place.TEXT_END, "Msg & data rates may apply. Reply HELP for help. Reply STOP to opt out."),
    )
    assert decide(PROGRAMME, category="opt_in_confirmation").outcome is Outcome.BLOCK


def test_what_was_added_is_found_the_next_time(decide: Callable[..., Decision]) -> None:
    once = decide(PROGRAMME, sender=SHOP, category="opt_in_confirmation", text="Welcome!")
    start, end = (amendment.text for amendment in once.amendments)
    again = decide(PROGRAMME, sender=SHOP, category="opt_in_confirmation", text=f"{start} Welcome! {end}")
    assert again.amendments == ()


def test_the_first_message_of_a_programme_confirms_the_opt_in(decide: Callable[..., Decision]) -> None:
    def amended(consent: Consent, **facts: Any) -> bool:
        return bool(decide(PROGRAMME, consent, sender=SHOP, **facts).amendments)

    assert amended(grant())
    assert not amended(grant(confirmation_sent_at_ms=ASKED_MS + 1))
    earlier = RecentSend(NOW_MS - DAY_MS, Channel.SMS)
    assert not amended(grant(), recent_sends=(earlier,))
    assert amended(grant(), recent_sends=(msgspec.structs.replace(earlier, at_ms=ASKED_MS - 1),))
    assert amended(grant(), recent_sends=(msgspec.structs.replace(earlier, channel=Channel.EMAIL),))
    assert not amended(grant(ConsentLevel.IMPLIED))
    assert not amended(grant(), purpose=Purpose.TRANSACTIONAL)


def test_a_rule_asks_for_something(rule: Build) -> None:
    with pytest.raises(msgspec.ValidationError, match="confirm_link"):
        rule("double_opt_in", {}, action="require")
