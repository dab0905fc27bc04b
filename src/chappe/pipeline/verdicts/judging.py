"""The decision on a message: what the rules say, and what its content gave cause for. Pure."""

from __future__ import annotations

from functools import lru_cache

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule_sets.rollout import Rules
from chappe.model.classification import Classification, Flag, Resolution, Review, Treatment
from chappe.model.customer import CustomerMessage, Decision, Outcome, RuleOutcome

CLASSIFIER = "classifier"
REVIEW = "review"
_OUTCOMES = {
    Treatment.ANNOTATE: Outcome.ANNOTATE,
    Treatment.PROMOTIONAL: Outcome.ANNOTATE,
    Treatment.HOLD: Outcome.DEFER,
    Treatment.BLOCK: Outcome.BLOCK,
}


def decided(rules: Rules, message: CustomerMessage, facts: Facts, now_ms: int) -> Decision:
    """The verdict on a message at a moment: as `Rules.decide`, with what the classifier, the moderation lists and the
    check of links found as outcomes of `classifier`, `moderation` and `links`.
    """
    decision = rules.decide(message, facts, now_ms)
    found = message.classification
    if found is None:
        return decision
    if not found.flags and found.review is None:
        return _with_last(decision, _unflagged(found))
    review_by_ms = now_ms + found.hold_ms
    if message.expires_at_ms is not None:
        review_by_ms = min(review_by_ms, message.expires_at_ms)
    return _combined(decision, content_outcomes(found), review_by_ms)


class _Joined:
    """Decisions with an outcome added, by the identity of both: nearly all messages share a few."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[Decision, RuleOutcome, Decision]] = {}

    def __call__(self, decision: Decision, last: RuleOutcome) -> Decision:
        key = (id(decision), id(last))
        found = self._kept.get(key)
        if found is not None and found[0] is decision and found[1] is last:
            return found[2]
        if len(self._kept) >= _JOINED_KEPT:
            self._kept.clear()
        joined = Decision(decision.outcome, decision.rule_set, (*decision.rules, last), decision.until_ms)
        self._kept[key] = (decision, last, joined)
        return joined


_JOINED_KEPT = 2_048
_with_last = _Joined()


def content_outcomes(found: Classification) -> tuple[RuleOutcome, ...]:
    """What was found, one outcome per check."""
    by_check: dict[str, list[Flag]] = {}
    for flag in found.flags:
        by_check.setdefault(flag.check, []).append(flag)
    outcomes = [_outcome(check, flags, found) for check, flags in by_check.items()]
    if CLASSIFIER not in by_check:
        outcomes.insert(0, _unflagged(found))
    if found.review is not None:
        outcomes.append(_reviewed(found.review, found.hold_ms))
    return tuple(outcomes)


def _outcome(check: str, flags: list[Flag], found: Classification) -> RuleOutcome:
    strictest = max(flags, key=lambda flag: flag.treatment.strictness).treatment
    outcome = _OUTCOMES[strictest]
    if found.review is not None and outcome.strictness > Outcome.ANNOTATE.strictness:
        outcome = Outcome.ANNOTATE  # the review says what follows
    return RuleOutcome(check, outcome, "; ".join(flag.reason for flag in flags))


def _reviewed(review: Review, hold_ms: int) -> RuleOutcome:
    if review.resolution is Resolution.EXPIRED:
        return RuleOutcome(REVIEW, Outcome.BLOCK, f"nobody reviewed it within {hold_ms / 3_600_000:g} hours")
    # The note is for people and may quote the message; a reason stands in the open part of the audit log.
    if review.resolution is Resolution.REJECTED:
        return RuleOutcome(REVIEW, Outcome.BLOCK, f"rejected by {review.by}")
    return RuleOutcome(REVIEW, Outcome.ALLOW, f"approved as {review.resolution} by {review.by}")


def _unflagged(found: Classification) -> RuleOutcome:
    return _said(found.label, found.kind, found.probability, found.model)


@lru_cache(maxsize=4_096)
def _said(label: str, kind: str | None, probability: float, model: str) -> RuleOutcome:
    what = label if kind is None else f"{label} ({kind})"
    return RuleOutcome(CLASSIFIER, Outcome.ALLOW, f"reads as {what} with a probability of {probability:.3f}")


def _combined(decision: Decision, outcomes: tuple[RuleOutcome, ...], review_by_ms: int) -> Decision:
    merged = sorted((*decision.rules, *outcomes), key=lambda rule: -rule.outcome.strictness)
    strictest = max(decision.outcome, *(rule.outcome for rule in outcomes), key=lambda outcome: outcome.strictness)
    if strictest.strictness < Outcome.DEFER.strictness:
        strictest = Outcome.ALLOW
    until_ms = decision.until_ms
    if strictest is Outcome.BLOCK:
        until_ms = None
    elif any(rule.outcome is Outcome.DEFER for rule in outcomes):
        until_ms = review_by_ms  # what the rules defer to is asked again after the review
    return Decision(strictest, decision.rule_set, tuple(merged), until_ms)
