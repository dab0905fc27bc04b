"""dnc_registry: what cannot be shown by one rule's examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.compliance.facts.recipient import Consent, ConsentLevel, Facts, Person, RegistryAnswer
from chappe.compliance.facts.registries import Listing, RegistryKind
from chappe.compliance.kinds import RegistryRule
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import Channel, Content, CustomerMessage, Outcome, Purpose, Recipient

Build = Callable[..., Any]
DAY_MS = 86_400_000
NOW_MS = 20_000 * DAY_MS


def answer(*listings: Listing, **fields: Any) -> RegistryAnswer:
    usual: dict[str, Any] = {
        "registry": "the-list",
        "listed": bool(listings),
        "kind": RegistryKind.DO_NOT_CALL,
        "as_of_ms": NOW_MS - DAY_MS,
        "listings": listings,
    }
    return RegistryAnswer(**(usual | fields))


def facts(*answers: RegistryAnswer, **fields: Any) -> Facts:
    return Facts(fields.pop("jurisdiction", "MX"), ("America/Mexico_City",), registries=answers, **fields)


@pytest.fixture
def judge(rule: Build, message: Build) -> Callable[..., Any]:
    def judged(parameters: dict[str, Any], known: Facts, now_ms: int = NOW_MS, **fields: Any) -> Any:
        made = rule("dnc_registry", {"registry": "The List"} | parameters, action="block", **fields.pop("rule", {}))
        sent = message(created_at_ms=now_ms, **fields)
        return RuleSet([made]).decide(sent, known, now_ms).rules[0]

    return judged


def test_the_set_asks_for_every_registry_of_a_rule(rule: Build, message: Build) -> None:
    made = rule(
        "dnc_registry",
        {"registry": "The List", "also": ["Other List"], "exempt": [{"registered_in": "Yes List"}]},
        action="block",
    )
    assert RuleSet([made]).registries("MX", message()) == ("the-list", "other-list", "yes-list")


@pytest.mark.parametrize(
    ("if_unknown", "outcome"), [("block", Outcome.BLOCK), ("annotate", Outcome.ANNOTATE), ("allow", Outcome.ALLOW)]
)
def test_what_is_done_without_a_copy(judge: Any, if_unknown: str, outcome: Outcome) -> None:
    for known in (facts(), facts(answer(listed=None, kind=None, as_of_ms=None))):
        found = judge({"if_unknown": if_unknown}, known)
        assert found.outcome is outcome
        assert "no copy of The List has been imported" in found.reason


def test_a_register_of_another_kind_is_no_copy(judge: Any) -> None:
    found = judge({}, facts(answer(kind=RegistryKind.POSITIVE)))
    assert found.outcome is Outcome.BLOCK
    assert "imported as a register of the kind positive" in found.reason
    assert judge({}, facts(answer(Listing(), kind=RegistryKind.RESTRICTED))).outcome is Outcome.BLOCK
    assert judge({}, facts(answer(kind=RegistryKind.RESTRICTED))).outcome is Outcome.ALLOW


def test_an_old_copy_still_shows_who_is_listed(judge: Any) -> None:
    found = judge({"max_scrub_age_days": 1}, facts(answer(Listing(), as_of_ms=NOW_MS - 9 * DAY_MS)))
    assert found.outcome is Outcome.BLOCK
    assert "listed in The List" in found.reason


@pytest.mark.parametrize(("age_ms", "outcome"), [(31 * DAY_MS, Outcome.ALLOW), (31 * DAY_MS + 1, Outcome.BLOCK)])
def test_how_old_a_copy_may_be(judge: Any, age_ms: int, outcome: Outcome) -> None:
    assert judge({"max_scrub_age_days": 31}, facts(answer(as_of_ms=NOW_MS - age_ms))).outcome is outcome


def test_the_age_of_a_copy_must_be_known_where_it_is_bounded(judge: Any) -> None:
    found = judge({"max_scrub_age_days": 31}, facts(answer(as_of_ms=None)))
    assert "of unknown age" in found.reason
    assert judge({}, facts(answer(as_of_ms=None))).outcome is Outcome.ALLOW


def test_an_entry_of_which_nobody_knows_since_when_counts_at_once(judge: Any) -> None:
    assert judge({"grace_days": 30}, facts(answer(Listing()))).outcome is Outcome.BLOCK


def test_grace_ends_to_the_millisecond(judge: Any) -> None:
    listed = facts(answer(Listing(since_ms=NOW_MS - 30 * DAY_MS)))
    assert judge({"grace_days": 30}, listed).outcome is Outcome.BLOCK
    assert judge({"grace_days": 30}, listed, NOW_MS - 1).outcome is Outcome.ALLOW


def test_working_days_leave_out_weekends_and_holidays(judge: Any, at: Callable[[str], int]) -> None:
    # From Wednesday 24 December 2025 in Mexico: Christmas and New Year's Day are holidays.
    listed = facts(answer(Listing(since_ms=at("2025-12-24T12:00")), as_of_ms=at("2026-01-09T00:00")))
    place = {"jurisdiction": "MX"}
    limit = {"grace_working_days": 5}
    assert judge(limit, listed, at("2026-01-02T11:59"), rule=place).outcome is Outcome.ALLOW
    assert judge(limit, listed, at("2026-01-02T12:00"), rule=place).outcome is Outcome.BLOCK


def test_working_days_need_a_calendar(rule: Build) -> None:
    with pytest.raises(msgspec.ValidationError, match="no public holidays"):
        rule("dnc_registry", {"registry": "X", "grace_working_days": 1}, action="block", jurisdiction="*")


@pytest.mark.parametrize(
    ("word", "category", "outcome"),
    [
        ("category=banking", "banking", Outcome.BLOCK),
        ("category=banking", "tourism", Outcome.ALLOW),
        ("category=banking", None, Outcome.BLOCK),
        ("except=banking", "banking", Outcome.ALLOW),
        ("except=banking", None, Outcome.BLOCK),
        ("mode=voice, email", None, Outcome.ALLOW),
        ("mode=sms", None, Outcome.BLOCK),
        ("day=mon", None, Outcome.ALLOW),
        ("time_band=20:00-19:00", None, Outcome.ALLOW),
        ("time_band=19:00-20:00", None, Outcome.BLOCK),
        ("time_band=whenever", None, Outcome.BLOCK),
        ("shoe_size=44", None, Outcome.BLOCK),
    ],
)
def test_entries_may_be_limited(
    judge: Any, at: Callable[[str], int], word: str, category: str, outcome: Outcome
) -> None:
    now_ms = at("2026-03-05T01:30")  # a Wednesday, 19:30 in Mexico
    every = {"granularity": ["category", "mode", "time_band", "day"]}
    listed = facts(answer(Listing(word), as_of_ms=now_ms))
    assert judge(every, listed, now_ms, category=category).outcome is outcome
    assert judge({}, listed, now_ms, category=category).outcome is Outcome.BLOCK


def test_an_emergency_stops_what_was_not_asked_for(judge: Any, at: Callable[[str], int]) -> None:
    flood = {"emergencies": [{"since": "2026-03-01", "until": "2026-03-10", "place": "MX-TAB"}]}
    during, after = at("2026-03-05T12:00"), at("2026-03-10T00:00")
    clear = [answer(as_of_ms=during)]
    assert judge(flood, facts(*clear, jurisdiction="MX-TAB"), during).outcome is Outcome.BLOCK
    assert judge(flood, facts(*clear, jurisdiction="MX-TAB"), after).outcome is Outcome.ALLOW
    assert judge(flood, facts(*clear, jurisdiction="MX-YUC"), during).outcome is Outcome.ALLOW
    asked = flood | {"exempt": [{"running_contract": True}]}
    customer = facts(*clear, jurisdiction="MX-TAB", person=Person(has_contract=True))
    assert judge(asked, customer, during).outcome is Outcome.ALLOW


def test_a_number_that_was_given_up_again_needs_a_consent_after_the_last_time(judge: Any) -> None:
    given_up = (Listing(since_ms=NOW_MS - 90 * DAY_MS), Listing(since_ms=NOW_MS - 30 * DAY_MS))
    between = Consent(None, Purpose.PROMOTIONAL, True, NOW_MS - 60 * DAY_MS)
    later = Consent(None, Purpose.PROMOTIONAL, True, NOW_MS - 29 * DAY_MS)
    asked = {"compare": "consent_date"}
    known = answer(*given_up, kind=RegistryKind.REASSIGNED)
    assert judge(asked, facts(known, consents=(between,))).outcome is Outcome.BLOCK
    assert judge(asked, facts(known, consents=(between, later))).outcome is Outcome.ALLOW
    assert judge(asked, facts(known)).outcome is Outcome.BLOCK


def test_positive_registers_do_not_compare_dates(rule: Build) -> None:
    with pytest.raises(msgspec.ValidationError, match="positive_register"):
        rule("dnc_registry", {"registry": "X", "positive_register": True, "compare": "consent_date"}, action="block")


@pytest.mark.parametrize("exempt", [{}, {"with_proof": True}, {"consent": "express", "naming_hours": True}])
def test_exemptions_that_make_no_sense_are_refused(rule: Build, exempt: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        rule("dnc_registry", {"registry": "X", "exempt": [exempt]}, action="block")


LISTINGS = st.lists(
    st.builds(
        Listing,
        st.sampled_from([None, "full", "category=banking", "mode=sms", "except=tourism"]),
        st.one_of(st.none(), st.integers(NOW_MS - 60 * DAY_MS, NOW_MS)),
    ),
    max_size=3,
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "max_scrub_age_days": st.integers(1, 40),
        "grace_days": st.integers(0, 40),
        "granularity": st.sampled_from([[], ["category"], ["category", "mode"]]),
        "exempt": st.sampled_from([[], [{"consent": "express"}], [{"purchase_within": "6mo"}]]),
        "if_unknown": st.sampled_from(["block", "annotate", "allow"]),
    },
)


@given(
    parameters=PARAMETERS,
    listings=LISTINGS,
    more=LISTINGS,
    age_days=st.integers(0, 60),
    category=st.sampled_from([None, "banking", "tourism"]),
    purchase=st.one_of(st.none(), st.integers(NOW_MS - 400 * DAY_MS, NOW_MS)),
    level=st.sampled_from([None, *ConsentLevel]),
)
def test_more_entries_and_older_copies_never_let_more_pass(
    parameters: dict[str, Any],
    listings: list[Listing],
    more: list[Listing],
    age_days: int,
    category: str | None,
    purchase: int | None,
    level: ConsentLevel | None,
) -> None:
    made = msgspec.convert(
        {
            "id": "r", "jurisdiction": "*", "regulation": "t", "citation": "t", "channels": ["any"],
            "applies_to": "promotional", "severity": "low", "summary": "t.", "source": "t", "confidence": "house",
            "kind": "dnc_registry", "parameters": {"registry": "The List"} | parameters,
        },
        RegistryRule,
    )  # fmt: skip
    consents = () if level is None else (Consent(None, Purpose.PROMOTIONAL, True, NOW_MS - DAY_MS, level=level),)
    sent = CustomerMessage(
        "m",
        Recipient(phone="+525512345678"),
        Channel.SMS,
        Purpose.PROMOTIONAL,
        Content(text="x"),
        NOW_MS,
        category=category,
    )

    def strictness(entries: list[Listing], age: int) -> int:
        known = answer(*entries, as_of_ms=NOW_MS - age * DAY_MS)
        told = facts(known, consents=consents, person=Person(last_purchase_ms=purchase))
        return made.judge(sent, told, NOW_MS).outcome.strictness

    assert strictness(listings + more, age_days) >= strictness(listings, age_days)
    assert strictness(listings, age_days + 5) >= strictness(listings, age_days)
