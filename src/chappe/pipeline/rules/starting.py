"""What a start of the server makes of the rules that come with it and of the operator's rule files.

They are stored as a version when there is none yet, and as a new one whenever they have changed. Whether a new version
comes into force by itself is the operator's to say (`ActivationPolicy`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec
import structlog

from chappe.compliance.kinds import AnyRule
from chappe.model.errors import InvalidConfiguration
from chappe.pipeline.rules.costs import LIMIT_MS, costs_of, too_slow_together
from chappe.records.rule_sets import (
    ActivationKind,
    Author,
    InForce,
    Origin,
    RuleSetRecords,
    Version,
    VersionSummary,
    digest_of,
)

_log = structlog.get_logger("chappe.rules")
_encoder = msgspec.json.Encoder()


class ActivationPolicy(StrEnum):
    """Whether changed rules come into force when the server starts. Those of the first start always do."""

    AUTOMATIC = "automatic"
    """As long as nobody ever activated a version by hand."""
    ALWAYS = "always"
    NEVER = "never"


def stored_form(rules: Sequence[AnyRule]) -> str:
    """The rules as they are stored."""
    return _encoder.encode(tuple(rules)).decode()


async def bring_in(
    records: RuleSetRecords,
    configured: Sequence[AnyRule],
    policy: ActivationPolicy,
    now_ms: Callable[[], int],
) -> None:
    """Store the configured rules if they are new, and put them in force if that is the policy.

    Raises `InvalidConfiguration` if their conditions take too long.
    """
    newest = await records.newest(Origin.CONFIGURED)
    text = stored_form(configured)
    active = await records.last_activation()
    if newest is None or newest.summary.digest != digest_of(text):
        summary = await _add(records, newest, configured, text, now_ms)
    elif active is None:  # the first start was cut off between the two
        summary = newest.summary
    else:
        return
    if active is not None and not await _comes_into_force(records, policy):
        _log.warning(
            "rules_not_activated",
            version=summary.version,
            active=active.in_force.version,
            reason="The configured rules have changed, and they do not come into force by themselves.",
            advice=f"chappe rules diff {active.in_force.version} {summary.version}; "
            f"chappe rules activate {summary.version}",
        )
        return
    author = Author("", "chappe", "the first start" if active is None else "the configured rules have changed")
    state = InForce(summary.version)
    await records.activate(ActivationKind.AUTOMATIC, lambda _: state, at_ms=now_ms(), author=author)


async def _add(
    records: RuleSetRecords,
    newest: Version | None,
    configured: Sequence[AnyRule],
    text: str,
    now_ms: Callable[[], int],
) -> VersionSummary:
    reason = "the first start" if newest is None else "the configured rules have changed"
    await asyncio.to_thread(_check_conditions, configured)
    return await records.add(
        text,
        len(configured),
        origin=Origin.CONFIGURED,
        base=None if newest is None else newest.summary.version,
        at_ms=now_ms(),
        author=Author("", "chappe", reason),
    )


def _check_conditions(configured: Sequence[AnyRule]) -> None:
    costs = costs_of(rule.condition for rule in configured if rule.condition is not None)
    for rule in configured:
        if rule.condition in costs.slow:
            raise InvalidConfiguration(
                f"the condition of the rule {rule.id} takes {costs.slow[rule.condition]:.0f} ms on long content; "
                f"at most {LIMIT_MS:.0f} ms are allowed",
                rule=rule.id,
            )
    together = too_slow_together(costs.total_ms)
    if together:
        raise InvalidConfiguration(f"the rules cannot be used: {together}")


async def _comes_into_force(records: RuleSetRecords, policy: ActivationPolicy) -> bool:
    if policy is ActivationPolicy.AUTOMATIC:
        return not await records.chosen_by_hand()
    return policy is ActivationPolicy.ALWAYS
