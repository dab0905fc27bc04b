from __future__ import annotations

from tests.unit.compliance.conftest import utc_ms

from chappe.model.customer import (
    Amendment,
    Channel,
    Content,
    CustomerMessage,
    Decision,
    Outcome,
    Place,
    Purpose,
    Recipient,
    RuleOutcome,
)
from chappe.pipeline.rules.comparing import EXAMPLES_PER_CHANGE, Comparing

NOON = utc_ms("2026-03-04T12:00")
MESSAGE = CustomerMessage(
    "msg_1", Recipient(email="ana@example.com"), Channel.EMAIL, Purpose.PROMOTIONAL, Content(text="x"), created_at_ms=0
)


def decision(outcome: Outcome, *rules: tuple[str, Outcome], until_ms: int | None = None) -> Decision:
    return Decision(outcome, 1, tuple(RuleOutcome(name, said, f"{name} says {said}") for name, said in rules), until_ms)


def test_what_stays_the_same_is_only_counted() -> None:
    comparing = Comparing()
    same = decision(Outcome.ALLOW, ("a", Outcome.ALLOW))
    other_words = Decision(Outcome.ALLOW, 2, (RuleOutcome("b", Outcome.ALLOW, "other words"),))
    assert comparing.add(MESSAGE, "FR", NOON, same, other_words) is None
    found = comparing.result()
    assert (found.decisions, found.changed, found.examples) == (1, 0, ())
    assert [(place.jurisdiction, place.decisions, place.changed) for place in found.by_jurisdiction] == [("FR", 1, 0)]


def test_changes_are_counted_by_outcome_rule_and_jurisdiction() -> None:
    comparing = Comparing()
    allowed = decision(Outcome.ALLOW, ("a", Outcome.ALLOW))
    blocked = decision(Outcome.BLOCK, ("b", Outcome.BLOCK), ("a", Outcome.ALLOW))
    deferred = decision(Outcome.DEFER, ("a", Outcome.DEFER), until_ms=NOON + 1)
    for _ in range(3):
        comparing.add(MESSAGE, "US", NOON, allowed, blocked)
    comparing.add(MESSAGE, "FR", NOON, allowed, deferred)
    comparing.add(MESSAGE, "FR", NOON, deferred, allowed)
    comparing.add(MESSAGE, None, NOON, allowed, allowed)
    found = comparing.result()
    assert (found.decisions, found.changed) == (6, 5)
    outcomes = {(entry.before.value, entry.after.value): entry.count for entry in found.by_outcome}
    assert outcomes == {("allow", "block"): 3, ("allow", "defer"): 1, ("defer", "allow"): 1}
    rules = {(entry.id, entry.before, entry.after): entry.count for entry in found.by_rule}
    assert rules == {("b", "-", "block"): 3, ("a", "allow", "defer"): 1, ("a", "defer", "allow"): 1}
    places = [(place.jurisdiction, place.decisions, place.changed) for place in found.by_jurisdiction]
    assert places == [("US", 3, 3), ("FR", 2, 2), (None, 1, 0)]


def test_a_later_end_and_other_content_are_changes() -> None:
    comparing = Comparing()
    sooner, later = (decision(Outcome.DEFER, ("a", Outcome.DEFER), until_ms=NOON + hour) for hour in (1, 2))
    changed = comparing.add(MESSAGE, None, NOON, sooner, later)
    assert changed is not None
    assert (changed.until_before_ms, changed.until_after_ms, changed.rules) == (NOON + 1, NOON + 2, ())
    prefix = RuleOutcome("a", Outcome.REQUIRE, "a label", (Amendment(Place.SUBJECT_START, "[AD]"),))
    plain, labelled = Decision(Outcome.ALLOW, 1), Decision(Outcome.ALLOW, 1, (prefix,))
    assert comparing.add(MESSAGE, None, NOON, plain, labelled) is not None
    assert {(entry.before, entry.after) for entry in comparing.result().by_outcome} == {
        (Outcome.DEFER, Outcome.DEFER),
        (Outcome.ALLOW, Outcome.ALLOW),
    }


def test_examples_are_few_and_name_no_address() -> None:
    comparing = Comparing()
    for _ in range(100):
        comparing.add(MESSAGE, "US", NOON, decision(Outcome.ALLOW), decision(Outcome.BLOCK, ("b", Outcome.BLOCK)))
    examples = comparing.result().examples
    assert len(examples) == EXAMPLES_PER_CHANGE
    assert "ana@example.com" not in repr(examples)
    assert examples[0].rules[0].reason == "b says block"
