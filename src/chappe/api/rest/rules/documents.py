"""The documents about rules and rule sets that go out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chappe.api.rest.messages.documents import DecisionView
from chappe.compliance.rule_files.loading import Problem
from chappe.compliance.rule_sets.changes import RuleChange
from chappe.compliance.rule_sets.rollout import Stage
from chappe.model.customer import Channel, Outcome, Purpose
from chappe.pipeline.rules.backtests import BacktestStatus
from chappe.pipeline.rules.comparing import OutcomeCount, PlaceCount, RuleCount, RuleDifference
from chappe.records.rule_sets import ActivationKind, Origin


class InForceFor(StrEnum):
    """For whom a version decides."""

    NOBODY = "nobody"
    SOME = "some"
    EVERYONE = "everyone"
    """But those for whom another one is staged."""


class AuthorView(msgspec.Struct, frozen=True):
    """Who did it, and why. `key_id` is that of an API key; it is empty for the server itself."""

    key_id: str
    name: str
    reason: str


class RuleSetView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version of the rule set. `configured` ones are the rules that come with the server and its rule files."""

    version: int
    origin: Origin
    in_force_for: InForceFor
    rule_count: int
    digest: str
    created_at: datetime
    author: AuthorView
    base: int | None = None


class RuleSetsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    rule_sets: list[RuleSetView]
    next_cursor: str | None = None


class RuleSetWithRulesView(msgspec.Struct, frozen=True):
    """A version with its rules, as they would be written in a rule file."""

    rule_set: RuleSetView
    rules: list[dict[str, Any]]


class ValidationView(msgspec.Struct, frozen=True):
    """Everything that is wrong with rules, and what would change against the version in force if they were used.

    A `line` is that of the text that was sent.
    """

    valid: bool
    rule_count: int
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    changes: list[RuleChange]


class NewRuleSetView(msgspec.Struct, frozen=True):
    """A version that was stored. Nothing uses it before it is activated."""

    rule_set: RuleSetView
    warnings: tuple[str, ...]
    changes: list[RuleChange]


class DifferenceView(msgspec.Struct, frozen=True):
    """What leads from one version to another, by rule."""

    before: int
    after: int
    changes: list[RuleChange]


class ActivationView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of what is in force: from `at` on `version` is, and for some recipients that of the stage."""

    id: int
    kind: ActivationKind
    version: int
    at: datetime
    author: AuthorView
    staged: Stage | None = None


class ActivationsView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    activations: list[ActivationView]
    next_cursor: str | None = None


class DryDecisionView(msgspec.Struct, frozen=True):
    """What a version would decide (`after`) beside what is decided now (`before`)."""

    changed: bool
    before: DecisionView
    after: DecisionView


class ChangedDecisionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recorded decision that would be another, and the rules that say something else (`-`: nothing)."""

    message_id: str
    at: datetime
    channel: Channel
    purpose: Purpose
    before: Outcome
    after: Outcome
    rules: tuple[RuleDifference, ...]
    jurisdiction: str | None = None
    until_before: datetime | None = None
    until_after: datetime | None = None


class ComparisonView(msgspec.Struct, frozen=True):
    """How many decisions would change and how, the most frequent changes first, with a few examples of each."""

    decisions: int
    changed: int
    by_outcome: tuple[OutcomeCount, ...]
    by_rule: tuple[RuleCount, ...]
    by_jurisdiction: tuple[PlaceCount, ...]
    examples: list[ChangedDecisionView]
    warnings: tuple[str, ...]


class DryRunView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a dry run: a decision for each message, or the comparison with the last hour's."""

    version: int
    decisions: list[DryDecisionView] | None = None
    last_hour: ComparisonView | None = None


class BacktestView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A backtest and what it has found so far."""

    id: str
    version: int
    since: datetime
    until: datetime
    status: BacktestStatus
    progress: Annotated[float, Meta(ge=0, le=1, description="How much of the time is gone through.")]
    result: ComparisonView
    against: int | None = None
    error: str = ""


class RuleSummaryView(msgspec.Struct, frozen=True):
    """The main things of a rule."""

    id: str
    kind: str
    jurisdiction: str
    regulation: str
    citation: str
    channels: tuple[str, ...]
    applies_to: str
    action: str
    severity: str
    confidence: str
    enabled: bool
    summary: str


class RulesView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page of the rules of a version, by id. Without `next_cursor` it is the last."""

    version: int
    rules: list[RuleSummaryView]
    next_cursor: str | None = None


class RuleView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule as it would be written in a rule file, with its examples."""

    version: int
    rule: dict[str, Any]
    condition_failures: Annotated[
        int | None,
        Meta(description="How often its condition could not be answered since the server started; it bound then."),
    ] = None
