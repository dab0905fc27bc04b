"""From rule sets to the documents that go out."""

from __future__ import annotations

import msgspec

from chappe.api.rest.presenting import moment, moment_or_none
from chappe.api.rest.rules.documents import (
    ActivationView,
    AuthorView,
    BacktestView,
    ChangedDecisionView,
    ComparisonView,
    InForceFor,
    RuleSetView,
    RuleSummaryView,
)
from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule_sets.rollout import Stage
from chappe.pipeline.rules.backtests import Backtest
from chappe.pipeline.rules.comparing import ChangedDecision
from chappe.records.rule_sets import Activation, Author, InForce, VersionSummary


def rule_set_view(summary: VersionSummary, in_force: InForce) -> RuleSetView:
    """A version without its rules."""
    return RuleSetView(
        version=summary.version,
        origin=summary.origin,
        in_force_for=_in_force_for(summary.version, in_force),
        rule_count=summary.rule_count,
        digest=summary.digest,
        created_at=moment(summary.created_at_ms),
        author=_author_view(summary.author),
        base=summary.base,
    )


def activation_view(activation: Activation) -> ActivationView:
    """What came into force, for whom, by whom and why."""
    part = activation.in_force.staged
    return ActivationView(
        id=activation.id,
        kind=activation.kind,
        version=activation.in_force.version,
        at=moment(activation.at_ms),
        author=_author_view(activation.author),
        staged=None if part is None else Stage(part.version, part.jurisdictions, part.percent),
    )


def backtest_view(backtest: Backtest) -> BacktestView:
    """A backtest and how far it has come."""
    return BacktestView(
        id=backtest.id,
        version=backtest.version.version,
        since=moment(backtest.span.since_ms),
        until=moment(backtest.span.until_ms),
        status=backtest.status,
        progress=min(1.0, backtest.progress),
        result=comparison_view(backtest),
        against=None if backtest.against is None else backtest.against.version,
        error=backtest.error,
    )


def comparison_view(backtest: Backtest) -> ComparisonView:
    """What the version would have decided otherwise: than the other one, or than what is on record."""
    found = backtest.result()
    return ComparisonView(
        decisions=found.decisions,
        changed=found.changed,
        by_outcome=found.by_outcome,
        by_rule=found.by_rule,
        by_jurisdiction=found.by_jurisdiction,
        examples=[_changed_view(example) for example in found.examples],
        warnings=backtest.warnings,
    )


def rule_summary_view(rule: AnyRule) -> RuleSummaryView:
    """A rule without its text."""
    return RuleSummaryView(
        id=rule.id,
        kind=rule.kind,
        jurisdiction=rule.jurisdiction,
        regulation=rule.regulation,
        citation=rule.citation,
        channels=rule.channels,
        applies_to=rule.applies_to,
        action=rule.action,
        severity=rule.severity,
        confidence=rule.confidence,
        enabled=rule.enabled,
        summary=rule.summary,
    )


def _changed_view(changed: ChangedDecision) -> ChangedDecisionView:
    return ChangedDecisionView(
        message_id=changed.message_id,
        at=moment(changed.at_ms),
        channel=changed.channel,
        purpose=changed.purpose,
        before=changed.before,
        after=changed.after,
        rules=changed.rules,
        jurisdiction=changed.jurisdiction,
        until_before=moment_or_none(changed.until_before_ms),
        until_after=moment_or_none(changed.until_after_ms),
    )


def _author_view(author: Author) -> AuthorView:
    return AuthorView(*msgspec.structs.astuple(author))


def _in_force_for(version: int, in_force: InForce) -> InForceFor:
    if version == in_force.version:
        return InForceFor.EVERYONE
    if in_force.staged is not None and version == in_force.staged.version:
        return InForceFor.SOME
    return InForceFor.NOBODY
