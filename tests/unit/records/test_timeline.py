from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chappe.model.customer import Decision, Outcome, RuleOutcome, Status
from chappe.records.timeline import Event, from_lines, last_decision, to_line

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
DECISIONS = st.none() | st.builds(
    Decision,
    outcome=st.sampled_from(Outcome),
    rule_set=st.integers(0, 9),
    rules=st.tuples(
        st.builds(RuleOutcome, id=st.just("r"), outcome=st.sampled_from(Outcome), reason=st.text("\u2028\n\x85é"))
    ),
    until_ms=st.none() | st.integers(0, 2**42),
)
EVENTS = st.builds(
    Event,
    at_ms=st.integers(0, 2**42),
    status=st.sampled_from(Status),
    decision=DECISIONS,
    attempt=st.none() | st.integers(1, 9),
    provider=TEXTS,
    reply=TEXTS,
    note=TEXTS,
)


@given(st.lists(EVENTS))
def test_events_come_back_whatever_their_texts_hold(events: list[Event]) -> None:
    assert from_lines("".join(map(to_line, events))) == events


def test_the_last_decision_is_the_one_in_force() -> None:
    first, second = (Decision(Outcome.DEFER, number) for number in (1, 2))
    events = [
        Event(1, Status.ACCEPTED),
        Event(2, Status.DEFERRED, decision=first),
        Event(3, Status.QUEUED, decision=second),
        Event(4, Status.SENT),
    ]
    assert last_decision(events) == second
    assert last_decision(events[:1]) is None
