"""opt_out_keyword: which words count, what answers and messages have to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.facts.opt_outs import OptOutRequest, RequestMeans
from chappe.compliance.facts.recipient import Consent, Facts
from chappe.compliance.rule_sets.rule_set import RuleSet, load_rule_set
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, SenderProfile
from chappe.model.customer import Amendment, Channel, Content, Decision, Outcome, Place, Purpose

Build = Callable[..., Any]
NOW_MS = 1_772_600_000_000
SHOP = SenderProfile(name="Shoe Shop", phone="+1 212 555 0100")
ANSWER = {"category": "opt_out_confirmation", "purpose": Purpose.TRANSACTIONAL}
HELP = {"category": "help_reply", "purpose": Purpose.TRANSACTIONAL}


def said(word: str | None, means: RequestMeans = RequestMeans.KEYWORD, **fields: Any) -> OptOutRequest:
    return OptOutRequest(NOW_MS - 1_000, Channel.SMS, means=means, keyword=word, **fields)


@pytest.fixture
def decide(rule: Build, message: Build) -> Callable[..., Decision]:
    def run(parameters: dict[str, Any], *requests: OptOutRequest, **given: Any) -> Decision:
        facts = {k: given.pop(k) for k in ("sender", "consents") if k in given}
        text = given.pop("text", None)
        if text is not None:
            given["content"] = Content(text=text)
        built = rule("opt_out_keyword", {"keywords": ["STOP"]} | parameters, applies_to="both", action="require")
        return RuleSet([built]).decide(message(**given), Facts("US", (), opt_outs=requests, **facts), NOW_MS)

    return run


@pytest.mark.parametrize(
    ("keywords", "word", "meant"),
    [
        (["opt out"], "OPT-OUT", True),
        (["OPTOUT"], "opt out", True),
        (["STOP"], "stop.", True),
        (["STOP"], "STOPP", False),
        (["ARRÊT"], "arrêt", True),
        (["B <sender>"], "B AD-SHOES", True),
        (["B <sender>"], "B", False),
        (["退订"], "退订", True),
    ],
)
def test_a_word_counts_however_it_is_written(
    decide: Callable[..., Decision], keywords: list[str], word: str, meant: bool
) -> None:
    decision = decide({"keywords": keywords}, said(word))
    assert (decision.outcome is Outcome.BLOCK) == meant


def test_other_wording_counts_where_the_rule_says_so(decide: Callable[..., Decision]) -> None:
    request = said(None, RequestMeans.FREE_TEXT)
    assert decide({}, request).outcome is Outcome.ALLOW
    assert decide({"free_text": True}, request).outcome is Outcome.BLOCK


def test_a_word_for_help_stops_nothing(decide: Callable[..., Decision]) -> None:
    assert decide({"keywords": ["STOP"], "intent": "help"}, said("STOP")).outcome is Outcome.ALLOW


def test_the_answer_is_completed(decide: Callable[..., Decision]) -> None:
    parameters = {"reply": ["brand_name", "confirmation_no_more"], "reply_max": 1}
    bare = decide(parameters, said("STOP"), sender=SHOP, text="Done.", **ANSWER)
    assert bare.outcome is Outcome.ALLOW
    assert bare.amendments == (
        Amendment(Place.TEXT_START, "Shoe Shop:"),
        Amendment(Place.TEXT_END, "You will get no more messages."),
    )
    whole = decide(parameters, said("STOP"), sender=SHOP, text="Shoe Shop: no more messages.", **ANSWER)
    assert whole.amendments == ()
    assert decide(parameters, said("STOP"), text="Done.", **ANSWER).outcome is Outcome.BLOCK
    twice = said("STOP", confirmations_sent_at_ms=(NOW_MS - 500,))
    assert decide(parameters, twice, sender=SHOP, text="Done.", **ANSWER).outcome is Outcome.BLOCK


def test_help_names_a_contact(decide: Callable[..., Decision]) -> None:
    parameters = {"intent": "help", "reply": ["support_contact"]}
    assert decide(parameters, sender=SHOP, text="We help.", **HELP).amendments == (
        Amendment(Place.TEXT_END, "Help: +1 212 555 0100"),
    )
    assert decide(parameters, text="We help.", **HELP).outcome is Outcome.BLOCK
    assert decide(parameters, sender=SHOP, text="Call 212-555-0100... +1 212 555 0100", **HELP).amendments == ()
    assert decide(parameters, text="Done.", **ANSWER).outcome is Outcome.ALLOW, "an answer to another word"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("The only way to opt out is a letter.", "block"),
        ("You can unsubscribe only by calling us.", "block"),
        ("Sale today only! Reply STOP to opt out.", "allow"),
        ("Reply STOP to opt out. Only via example.com.", "allow"),
    ],
)
def test_no_message_says_that_there_is_one_way_only(decide: Callable[..., Decision], text: str, outcome: str) -> None:
    assert decide({"exclusive_means_allowed": False}, text=text).outcome.value == outcome
    assert decide({}, text=text).outcome is Outcome.ALLOW


def test_a_network_that_answers_itself_wants_no_second_answer(decide: Callable[..., Decision]) -> None:
    parameters = {"number_type": "toll_free", "custom_reply": False}
    toll_free = {"sender": "+18885550100"}

    def sent(sender: str) -> Outcome:
        built = {"keywords": ["STOP"]} | parameters
        return decide(built, said("STOP"), sender=SenderProfile(sms_from=sender), text="Done.", **ANSWER).outcome

    assert sent(toll_free["sender"]) is Outcome.BLOCK
    assert sent("+12125550100") is Outcome.ALLOW


def test_the_mention_is_filled_in_or_asked_for(decide: Callable[..., Decision]) -> None:
    mention = {"mention": {"shows": r"STOP.{0,9}36\d{3}", "add": "STOP {number}", "number": r"36\d{3}"}}
    profile = SenderProfile(unsubscribe=(OptOutMeans(kind=MeansKind.REPLY, value="STOP au 36179"),))
    assert decide(mention, text="Soldes").outcome is Outcome.BLOCK
    assert decide(mention, text="Soldes", sender=profile).amendments == (Amendment(Place.TEXT_END, "STOP 36179"),)
    assert decide(mention, text="Soldes STOP 36179").rules[0].outcome is Outcome.ALLOW
    assert decide(mention, text="Code 1", purpose=Purpose.TRANSACTIONAL).outcome is Outcome.ALLOW
    named = {"mention": {"shows": "7726", "add": "B {sender} to 7726"}}
    by_name = SenderProfile(sms_from="AD-SHOES")
    assert decide(named, text="Sale", sender=by_name).amendments[0].text == "B AD-SHOES to 7726"
    assert decide(named, text="Sale").outcome is Outcome.BLOCK


def test_a_pattern_is_checked_when_it_is_read(rule: Build) -> None:
    with pytest.raises(msgspec.ValidationError, match="shows"):
        rule("opt_out_keyword", {"keywords": ["STOP"], "mention": {"shows": "(", "add": "x"}}, action="require")


def test_an_opt_in_and_a_free_way_out_may_be_asked(decide: Callable[..., Decision]) -> None:
    granted = (Consent(None, Purpose.PROMOTIONAL, True, 0),)
    dear = SenderProfile(unsubscribe=(OptOutMeans(kind=MeansKind.REPLY, value="SAIR", free=False),))
    assert decide({"opt_in_required": True}).outcome is Outcome.BLOCK
    assert decide({"opt_in_required": True}, consents=granted).outcome is Outcome.ALLOW
    assert decide({"free": True}, sender=dear).outcome is Outcome.BLOCK
    assert decide({}, sender=dear).outcome is Outcome.ALLOW


def test_the_rule_set_names_the_words_of_a_place() -> None:
    shipped = load_rule_set()
    words = shipped.keyword_rules("US-VA", Channel.SMS, NOW_MS)
    assert words[0].id == "us-va-opt-out-10y", "the nearest place first"
    assert {"us-tcpa-opt-out-keywords", "us-ctia-help-keyword"} <= {rule.id for rule in words}
    assert shipped.keyword_rules("US-VA", Channel.EMAIL, NOW_MS) == ()
    assert "us-va-opt-out-10y" not in {r.id for r in shipped.keyword_rules("US-VA", Channel.SMS, 1_735_000_000_000)}
    assert [rule.id for rule in shipped.keyword_rules("FR", Channel.SMS, NOW_MS)] == ["fr-sms-stop-mention"]
