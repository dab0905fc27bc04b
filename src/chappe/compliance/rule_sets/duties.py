"""What the duty rules of a rule set ask: how long to keep what, by when to answer a request, what to write down.

The strictest wins: the longest of the periods for which a record must be kept, the shortest of those for which it may
be, the earliest deadline. Where a record must be kept longer than it may be, it is kept: a statutory duty is the
ground on which the data are held (Regulation (EU) 2016/679, art. 17(3)(b)).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from chappe.compliance.kinds import AnyRule
from chappe.compliance.kinds.erasure import ErasureRule
from chappe.compliance.kinds.record_keeping import Reaction, RecordKeepingRule
from chappe.compliance.kinds.retention_max import RetentionMaxRule
from chappe.compliance.kinds.retention_min import FOR_GOOD_MS, RetentionMinRule
from chappe.compliance.rule.base import DutyRule
from chappe.compliance.rule.record_kinds import History, RecordKind, Subject
from chappe.model.customer import Channel, Purpose
from chappe.model.jurisdictions import lineage

__all__ = ["FOR_GOOD_MS", "Duties", "Erasure", "Keeping"]

D = TypeVar("D", bound=DutyRule)


class Keeping(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long one record is kept, in ms since the epoch.

    `until_ms`: it must be kept until then (`FOR_GOOD_MS`: as long as the relationship goes on); None where no rule
    asks for it. `by_ms`: it must be gone by then; never before `until_ms`. `undefined` says that it may not be kept
    without a period of the sender's own, and none is set. `rules` are the ids of those that say so.
    """

    until_ms: int | None = None
    by_ms: int | None = None
    undefined: bool = False
    rules: tuple[str, ...] = ()

    def must_keep(self, now_ms: int) -> bool:
        """Whether the record must still be kept."""
        return self.until_ms is not None and now_ms < self.until_ms

    def must_delete(self, now_ms: int) -> bool:
        """Whether it may be kept no longer."""
        return not self.must_keep(now_ms) and (self.undefined or (self.by_ms is not None and now_ms >= self.by_ms))


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """By when a request to be forgotten is acknowledged and carried out, in ms since the epoch.

    `complete_by_ms` None means that no rule sets a deadline. `extended_to_ms` is the deadline where the person was told
    in time why it takes longer. `keep_suppression` says that an entry in the suppression list may stay.
    """

    acknowledge_by_ms: int | None = None
    complete_by_ms: int | None = None
    extended_to_ms: int | None = None
    keep_suppression: bool = False
    rules: tuple[str, ...] = ()


class Duties:
    """The duty rules of a rule set, asked by place and moment. Pure; never changes once built."""

    def __init__(self, rules: Iterable[AnyRule]) -> None:
        self._rules = tuple(rule for rule in rules if isinstance(rule, DutyRule) and rule.enabled)

    def keeping(
        self,
        jurisdiction: str | None,
        record: RecordKind,
        history: History,
        now_ms: int,
        *,
        subject: Subject = Subject.ANYONE,
        channel: Channel | None = None,
        purpose: Purpose | None = None,
        retention_days: int | None = None,
    ) -> Keeping:
        """How long a record about a person is kept. `channel` and `purpose` are of what it is about, None for all;
        `retention_days` is the sender's own policy.
        """
        until_ms: int | None = None
        by_ms: int | None = None
        undefined = False
        named: list[str] = []
        keepers: list[RetentionMinRule | RecordKeepingRule] = [*self._of(RetentionMinRule, jurisdiction, now_ms)]
        keepers += self._of(RecordKeepingRule, jurisdiction, now_ms)
        for least in keepers:
            end_ms = least.keep_until_ms(record, history) if _is_about(least, channel, purpose) else None
            if end_ms is not None:
                until_ms = max(until_ms or 0, end_ms)
                named.append(least.id)
        for most in self._of(RetentionMaxRule, jurisdiction, now_ms):
            if not most.is_about(subject) or not _is_about(most, channel, purpose):
                continue
            named.append(most.id)
            undefined = undefined or most.lacks_policy(retention_days)
            end_ms = most.delete_by_ms(history, retention_days)
            if end_ms is not None:
                by_ms = end_ms if by_ms is None else min(by_ms, end_ms)
        if by_ms is not None and until_ms is not None:
            by_ms = max(by_ms, until_ms)
        return Keeping(until_ms, by_ms, undefined, tuple(named))

    def erasure(self, jurisdiction: str | None, received_ms: int) -> Erasure:
        """By when a request received at a moment is acknowledged and carried out."""
        rules = list(self._of(ErasureRule, jurisdiction, received_ms))
        if not rules:
            return Erasure()
        confirmations = [moment for rule in rules if (moment := rule.acknowledge_by_ms(received_ms)) is not None]
        return Erasure(
            acknowledge_by_ms=min(confirmations, default=None),
            complete_by_ms=min(rule.complete_by_ms(received_ms) for rule in rules),
            extended_to_ms=min(rule.complete_by_ms(received_ms, extended=True) for rule in rules),
            keep_suppression=all(rule.parameters.keep_suppression for rule in rules),
            rules=tuple(rule.id for rule in rules),
        )

    def wanted_fields(
        self,
        jurisdiction: str | None,
        record: RecordKind,
        now_ms: int,
        *,
        channel: Channel | None = None,
        purpose: Purpose | None = None,
    ) -> tuple[str, ...]:
        """What a record of this kind must hold, all rules together; empty where none asks for any."""
        rules = (
            rule for rule in self._of(RecordKeepingRule, jurisdiction, now_ms) if _is_about(rule, channel, purpose)
        )
        return tuple(dict.fromkeys(name for rule in rules if rule.wants(record) for name in rule.parameters.fields))

    def reactions(self, jurisdiction: str | None, complaint: str, now_ms: int) -> tuple[Reaction, ...]:
        """What a complaint leads to, such as one relayed from 7726."""
        rules = self._of(RecordKeepingRule, jurisdiction, now_ms)
        return tuple(dict.fromkeys(reaction for rule in rules for reaction in rule.reactions(complaint)))

    def _of(self, kind: type[D], jurisdiction: str | None, now_ms: int) -> tuple[D, ...]:
        places = lineage(jurisdiction)
        return tuple(
            rule
            for rule in self._rules
            if isinstance(rule, kind)
            and rule.jurisdiction in places
            and rule.in_force_ms()[0] <= now_ms < rule.in_force_ms()[1]
        )


def _is_about(rule: DutyRule, channel: Channel | None, purpose: Purpose | None) -> bool:
    return (channel is None or "any" in rule.channels or channel in rule.channels) and (
        purpose is None or rule.applies_to.covers(purpose)
    )
