"""The forms of decisions: the same bytes as without them."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chappe.model.customer import Amendment, Decision, Outcome, Place, RuleOutcome, Status
from chappe.model.decision_forms import forms_of
from chappe.observe.audit.record import DecisionRecord, Stage, WrittenDecision, decode_open, encode
from chappe.records.timeline import Event, from_lines, to_line

_TEXTS = st.text(max_size=20)
_RULES = st.builds(
    RuleOutcome,
    id=_TEXTS,
    outcome=st.sampled_from(Outcome),
    reason=_TEXTS,
    amendments=st.lists(st.builds(Amendment, st.sampled_from(Place), _TEXTS), max_size=2).map(tuple),
)
_DECISIONS = st.builds(
    Decision,
    outcome=st.sampled_from([Outcome.ALLOW, Outcome.BLOCK]),
    rule_set=st.integers(1, 9),
    rules=st.lists(_RULES, max_size=3).map(tuple),
    until_ms=st.none() | st.integers(0, 10**13),
)
_EVENTS = st.builds(
    Event,
    at_ms=st.integers(0, 10**13),
    status=st.sampled_from(Status),
    decision=_DECISIONS,
    attempt=st.none() | st.integers(1, 9),
    provider=st.none() | _TEXTS,
    code=st.none() | _TEXTS,
    reply=st.none() | _TEXTS,
    provider_message_id=st.none() | _TEXTS,
    next_at_ms=st.none() | st.integers(0, 10**13),
    note=st.none() | _TEXTS,
)


@given(_EVENTS)
def test_a_line_of_the_timeline_is_the_event(event: Event) -> None:
    assert to_line(event).encode() == msgspec.json.encode(event) + b"\n"
    assert from_lines(to_line(event)) == [event]


@given(_DECISIONS, st.none() | _TEXTS)
def test_a_record_of_the_audit_log_is_the_decision(decision: Decision, place: str | None) -> None:
    whole = DecisionRecord("msg_1", 5, Stage.INTAKE, "sms", "promotional", decision, 7, place, "healthcare", None)
    forms = forms_of(decision)
    written = encode(
        WrittenDecision("msg_1", 5, Stage.INTAKE, "sms", "promotional", forms.json, 7, place, "healthcare", None)
    )
    assert written == encode(whole)
    assert decode_open(written) == whole


@given(_DECISIONS)
def test_each_decision_has_its_own_forms(decision: Decision) -> None:
    forms = forms_of(decision)
    assert forms is forms_of(decision)
    other = msgspec.structs.replace(decision, rule_set=decision.rule_set + 1)
    assert forms_of(other).json != forms.json
    assert msgspec.json.decode(forms.json, type=Decision) == decision


def test_forms_of_more_decisions_than_are_kept_are_right_still() -> None:
    decisions = [Decision(Outcome.ALLOW, number) for number in range(5_000)]
    for decision in (*decisions, *decisions):
        assert msgspec.json.decode(forms_of(decision).json)["rule_set"] == decision.rule_set
