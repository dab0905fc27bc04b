"""A rule set that is active for some recipients while another is for the rest.

Who belongs to a percentage follows from the address and the version alone, so a person is on the same side each time,
and stays there when the percentage grows.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Annotated, Protocol

import msgspec

from chappe.compliance.calendar.counting import Counting
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import Jurisdiction
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.customer import CustomerMessage, Decision, Purpose, Recipient
from chappe.model.jurisdictions import lineage

_BUCKETS = 10_000


class Rules(Protocol):
    """What decides messages: one rule set, or two of which each is for some recipients."""

    def counting(self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...] = ()) -> Counting:
        """As `RuleSet.counting`."""
        ...

    def caps(self, message: CustomerMessage, purpose: Purpose | None = None) -> bool:
        """As `RuleSet.caps`."""
        ...

    def registries(
        self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """As `RuleSet.registries`."""
        ...

    def decide(self, message: CustomerMessage, facts: Facts, now_ms: int) -> Decision:
        """As `RuleSet.decide`. The decision says which version made it."""
        ...


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """For whom a version is active already: recipients in any of the jurisdictions (none named: everywhere), and of
    those the given percentage.
    """

    version: int
    jurisdictions: tuple[Jurisdiction, ...] = ()
    percent: Annotated[float, msgspec.Meta(ge=0.01, le=100)] = 100.0


class Rollout:
    """`staged` decides for the recipients of the stage, `everyone` for all others. Never changes once built."""

    def __init__(self, everyone: RuleSet, staged: RuleSet, stage: Stage) -> None:
        self.everyone = everyone
        self.staged = staged
        self.stage = stage
        self._places = frozenset(stage.jurisdictions)
        self._below = round(stage.percent * _BUCKETS / 100)

    def set_for(self, to: Recipient, jurisdiction: str | None) -> RuleSet:
        """The rule set that decides for this recipient."""
        if self._places and self._places.isdisjoint(lineage(jurisdiction)):
            return self.everyone
        if self._below < _BUCKETS and bucket_of(to, self.stage.version) >= self._below:
            return self.everyone
        return self.staged

    def counting(self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...] = ()) -> Counting:
        """What either set asks: where the recipient is may be known better once the facts are gathered."""
        asked = [rules.counting(jurisdiction, message, also_in) for rules in (self.everyone, self.staged)]
        return asked[0].with_(asked[1])

    def caps(self, message: CustomerMessage, purpose: Purpose | None = None) -> bool:
        """Whether a cap of either set does."""
        return self.everyone.caps(message, purpose) or self.staged.caps(message, purpose)

    def registries(
        self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Those that either set asks."""
        asked = [rules.registries(jurisdiction, message, also_in) for rules in (self.everyone, self.staged)]
        return tuple(dict.fromkeys(asked[0] + asked[1]))

    def decide(self, message: CustomerMessage, facts: Facts, now_ms: int) -> Decision:
        """The verdict of the set that is for this recipient."""
        return self.set_for(message.to, facts.jurisdiction).decide(message, facts, now_ms)


def bucket_of(to: Recipient, version: int) -> int:
    """A number from 0 to 9,999 for a recipient, as good as random over recipients and over versions."""
    digest = blake2b(to.address.lower().encode(), digest_size=8, salt=version.to_bytes(16, "big"))
    return int.from_bytes(digest.digest(), "big") % _BUCKETS


def rule_sets_of(rules: Rules) -> Iterable[RuleSet]:
    """The rule sets in use, that for everyone first."""
    if isinstance(rules, Rollout):
        return (rules.everyone, rules.staged)
    assert isinstance(rules, RuleSet)
    return (rules,)
