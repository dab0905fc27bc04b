from __future__ import annotations

from tests.unit.pipeline.rules.conftest import a_rule, rule_file

from chappe.pipeline.rules.checking import check_rules
from chappe.pipeline.rules.costs import TOTAL_LIMIT_MS, costs_of

EXAMPLE = "\n  - {{says: {says}, why: No consent., message: {{channel: email}}}}"


def test_rules_that_can_be_used() -> None:
    checked = check_rules(rule_file(a_rule(examples=EXAMPLE.format(says="block"))))
    assert checked.problems == ()
    assert [rule.id for rule in checked.usable()] == ["house-vip"]
    assert "unsubscribed" in checked.warnings[0]


def test_an_example_that_is_not_true_is_a_problem() -> None:
    text = rule_file(a_rule(examples=EXAMPLE.format(says="allow")))
    (problem,) = check_rules(text).problems
    assert (problem.rule, problem.field) == ("house-vip", "examples[0]")
    assert "allow" in problem.text
    assert "block" in problem.text
    assert "says: allow" in text.splitlines()[problem.line - 1]


def test_a_slow_condition_is_a_problem() -> None:
    numbers = "[" + ",".join("0" * 90) + "]"
    slow = f"{numbers}.all(a, {numbers}.all(b, !message.content.text.matches('(x+x+)+y')))"
    assert set(costs_of([slow, "true"]).slow) == {slow}
    problem = check_rules(rule_file(a_rule(condition=f'"{slow}"'))).problems[0]
    assert (problem.field, problem.rule) == ("condition", "house-vip")
    assert "ms are allowed" in problem.text


def test_many_conditions_that_are_slow_together_are_a_problem() -> None:
    numbers = "[" + ",".join("0" * 60) + "]"
    rules = [
        a_rule(f"r{number}", condition=f"'{numbers}.all(a, {numbers}.all(b, a + b < {number + 1}))'")
        for number in range(200)
    ]
    checked = check_rules(rule_file(*rules))
    assert "together" in checked.problems[-1].text
    assert costs_of(rule.condition or "" for rule in check_rules(rule_file(rules[0])).rules).total_ms < TOTAL_LIMIT_MS


def test_problems_of_changes_name_what_is_removed() -> None:
    (problem,) = check_rules("", (), ["absent"]).problems
    assert (problem.file, problem.rule) == ("remove", "absent")


def test_a_set_that_honours_unsubscriptions_has_no_warning() -> None:
    suppression = a_rule("house-suppression", kind="suppression", applies_to="both", parameters=None)
    assert check_rules(rule_file(suppression)).warnings == ()
