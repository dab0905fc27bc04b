"""Everything that is wrong with rules that somebody wrote, found before they are stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from chappe.compliance.kinds import AnyRule, SuppressionRule
from chappe.compliance.rule_files.loading import Problem, Reading, problem_details
from chappe.compliance.rule_sets.changes import changed
from chappe.compliance.rule_sets.trying import trials
from chappe.model.errors import InvalidInput, InvalidRules
from chappe.pipeline.rules.costs import LIMIT_MS, costs_of, too_slow_together

RULES_MAX = 20_000
_NAME = "rules"
"""In place of a file's name."""


class Checked(msgspec.Struct, frozen=True):
    """What rules come to. With `problems` they cannot be used and `rules` are not the whole set; `warnings` are for
    people to weigh.
    """

    rules: tuple[AnyRule, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    def usable(self) -> tuple[AnyRule, ...]:
        """The rules. Raises `InvalidRules`."""
        if not self.problems:
            return self.rules
        details = problem_details(self.problems)
        raise InvalidRules(f"The rules cannot be used:\n{details.pop('listed')}", pointer="/rules", **details)


def check_rules(text: str, base: Sequence[AnyRule] = (), remove: Collection[str] = ()) -> Checked:
    """Read rules as in a rule file: a whole set, or changes to a base.

    Checked are the YAML, every field, the conditions (types, and what they cost), and that each given rule says of its
    own examples what they tell. Takes a while: not for the event loop.
    """
    reading = Reading()
    if text.strip():
        reading.read(text.encode(), _NAME)
    return check_reading(reading, base, remove)


def check_reading(reading: Reading, base: Sequence[AnyRule] = (), remove: Collection[str] = ()) -> Checked:
    """The same for rules that were read from files."""
    problems = [*reading.problems, *_untrue_examples(reading)]
    try:
        rules = changed(base, reading.rules, remove)
    except InvalidInput as error:
        rules = ()
        problems.append(Problem("remove", error.message, str(error.details.get("rule", ""))))
    problems += _slow(reading, rules)
    if not problems and not rules:
        problems.append(Problem(_NAME, "there must be at least one rule"))
    if len(rules) > RULES_MAX:
        problems.append(Problem(_NAME, f"there are {len(rules)} rules; at most {RULES_MAX} are allowed"))
    return Checked(rules, tuple(problems), tuple(_warnings(rules)) if not problems else ())


def _slow(reading: Reading, rules: Sequence[AnyRule]) -> list[Problem]:
    costs = costs_of(rule.condition for rule in (*reading.rules, *rules) if rule.condition is not None)
    problems = [
        reading.problem(
            rule.id,
            "condition",
            f"takes {costs.slow[rule.condition]:.0f} ms on long content; at most {LIMIT_MS:.0f} ms are allowed",
        )
        for rule in reading.rules
        if rule.condition in costs.slow
    ]
    together = too_slow_together(costs.total_ms)
    return [*problems, Problem(_NAME, together)] if together else problems


def _untrue_examples(reading: Reading) -> list[Problem]:
    problems = []
    for rule in reading.rules:
        for number, trial in enumerate(trials(rule)):
            if not trial.as_told:
                text = f"is said to come to {trial.example.says}, and comes to {trial.found}: {trial.reason}"
                problems.append(reading.problem(rule.id, f"examples[{number}]", text))
    return problems


def _warnings(rules: Sequence[AnyRule]) -> list[str]:
    if any(isinstance(rule, SuppressionRule) and rule.enabled and rule.jurisdiction == "*" for rule in rules):
        return []
    return ["no rule of kind suppression binds everywhere: messages would go to people who have unsubscribed"]
