"""Decisions side by side: what one was, what it would be by other rules, and how often what changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from chappe.model.customer import Channel, CustomerMessage, Decision, Outcome, Purpose, RuleOutcome

EXAMPLES_PER_CHANGE = 5
EXAMPLES_MAX = 100
SILENT = "-"
"""In place of an outcome, for a rule that says nothing."""


class RuleDifference(msgspec.Struct, frozen=True):
    """What a rule says in one decision and in the other, `SILENT` where it has nothing to say; `reason` is the new one,
    or the old one where it falls silent.
    """

    id: str
    before: str
    after: str
    reason: str


class ChangedDecision(msgspec.Struct, frozen=True):
    """A decision that would be another, without what is personal in it."""

    message_id: str
    at_ms: int
    jurisdiction: str | None
    channel: Channel
    purpose: Purpose
    before: Outcome
    after: Outcome
    rules: tuple[RuleDifference, ...]
    until_before_ms: int | None = None
    until_after_ms: int | None = None


class OutcomeCount(msgspec.Struct, frozen=True):
    """How many decisions change from one outcome to another. With the same outcome twice, the end of the deferral or
    what is changed in the content differs.
    """

    before: Outcome
    after: Outcome
    count: int


class RuleCount(msgspec.Struct, frozen=True):
    """In how many of the changed decisions a rule says something else."""

    id: str
    before: str
    after: str
    count: int


class PlaceCount(msgspec.Struct, frozen=True):
    """How many decisions about recipients of a jurisdiction there are, and how many of them change."""

    jurisdiction: str | None
    decisions: int
    changed: int


class Comparison(msgspec.Struct, frozen=True):
    """What came of comparing: the most frequent changes first."""

    decisions: int
    changed: int
    by_outcome: tuple[OutcomeCount, ...]
    by_rule: tuple[RuleCount, ...]
    by_jurisdiction: tuple[PlaceCount, ...]
    examples: tuple[ChangedDecision, ...]


class Comparing:
    """Counts, one decision after the other, in bounded memory."""

    def __init__(self) -> None:
        self.decisions = 0
        self.changed = 0
        self._by_outcome: Counter[tuple[Outcome, Outcome]] = Counter()
        self._by_rule: Counter[tuple[str, str, str]] = Counter()
        self._decisions_in: Counter[str | None] = Counter()
        self._changed_in: Counter[str | None] = Counter()
        self._examples: list[ChangedDecision] = []

    def add(
        self, message: CustomerMessage, jurisdiction: str | None, at_ms: int, before: Decision, after: Decision
    ) -> ChangedDecision | None:
        """Take in one pair; what changes, if anything does."""
        self.decisions += 1
        self._decisions_in[jurisdiction] += 1
        if not _differ(before, after):
            return None
        self.changed += 1
        self._changed_in[jurisdiction] += 1
        outcomes = (before.outcome, after.outcome)
        self._by_outcome[outcomes] += 1
        rules = tuple(_rule_differences(before, after))
        for rule in rules:
            self._by_rule[rule.id, rule.before, rule.after] += 1
        changed = ChangedDecision(
            message.id,
            at_ms,
            jurisdiction,
            message.channel,
            message.purpose,
            before.outcome,
            after.outcome,
            rules,
            before.until_ms,
            after.until_ms,
        )
        if self._by_outcome[outcomes] <= EXAMPLES_PER_CHANGE and len(self._examples) < EXAMPLES_MAX:
            self._examples.append(changed)
        return changed

    def result(self) -> Comparison:
        """The counts so far."""
        return Comparison(
            self.decisions,
            self.changed,
            tuple(OutcomeCount(*key, count) for key, count in self._by_outcome.most_common()),
            tuple(RuleCount(*key, count) for key, count in self._by_rule.most_common()),
            tuple(
                PlaceCount(place, count, self._changed_in[place])
                for place, count in sorted(
                    self._decisions_in.items(), key=lambda entry: (-self._changed_in[entry[0]], -entry[1])
                )
            ),
            tuple(sorted(self._examples, key=lambda example: (example.before, example.after))),
        )


def _differ(before: Decision, after: Decision) -> bool:
    return (
        before.outcome is not after.outcome
        or before.until_ms != after.until_ms
        or before.amendments != after.amendments
    )


def _rule_differences(before: Decision, after: Decision) -> Iterator[RuleDifference]:
    old, new = ({rule.id: rule for rule in decision.rules} for decision in (before, after))
    for rule_id in [*new, *(rule_id for rule_id in old if rule_id not in new)]:
        said, says = old.get(rule_id), new.get(rule_id)
        if said is None or says is None or said.outcome is not says.outcome:
            shown = says or said
            assert shown is not None
            yield RuleDifference(rule_id, _outcome(said), _outcome(says), shown.reason)


def _outcome(outcome: RuleOutcome | None) -> str:
    return SILENT if outcome is None else outcome.outcome.value
