"""The rules that bind a class of messages, made ready to be asked.

A `Plan` is what binds one jurisdiction, channel, purpose and category; its `Edition`s are what of it is in force
between two changes of law. An edition knows which of its rules a message can sway (`rule.inputs`), and in which order
they are listed, so that deciding asks only those and copies the outcomes of the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_

from chappe.compliance.calendar.counting import NOTHING_COUNTED, Counting
from chappe.compliance.content.scanning import scan_for
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.kinds import AnyRule, FrequencyCapRule
from chappe.compliance.rule.base import ALWAYS_MS, StandingRule
from chappe.compliance.rule.conditions import Conditional
from chappe.compliance.rule.hours_rule import HoursRule
from chappe.compliance.rule.inputs import NOTHING, header_of, sways
from chappe.compliance.sender.profile import SenderProfile
from chappe.model.customer import Channel, CustomerMessage, Decision, Outcome, RuleOutcome

_EDITIONS_KEPT = 1_024
_DECISIONS_KEPT = 64
_SHARED_BY = 1
_DAY_MS = 86_400_000

_TO_BE_ASKED = RuleOutcome("", Outcome.BLOCK, "a rule has not been asked")

Judging = Callable[[CustomerMessage, Facts, int], RuleOutcome]
JudgingCap = Callable[[CustomerMessage, Facts, int], tuple[RuleOutcome, int]]


_Said = tuple[int, tuple[RuleOutcome, ...]]


class Settled:
    """The outcomes of the rules that nothing about a message sways, each at its place among all. At the others
    stands an outcome that is to be replaced.

    `sender` is the profile that they were worked out for. It is kept here so that its identity is not given to another.
    Decisions that differ from others in nothing are made once: what the rest of the rules said tells them apart.
    """

    __slots__ = ("_decisions", "caps", "sender", "standing")

    def __init__(self, standing: list[RuleOutcome], caps: list[RuleOutcome], sender: SenderProfile) -> None:
        self.standing = standing
        self.caps = caps
        self.sender = sender
        self._decisions: dict[_Said, tuple[Sequence[RuleOutcome], Decision]] = {}

    def decision(self, of_hours: Sequence[RuleOutcome], said: tuple[RuleOutcome, ...]) -> Decision | None:
        """The decision that was made where the rules of hours, and those that were asked, said the same."""
        found = self._decisions.get((id(of_hours), said))
        return found[1] if found is not None and found[0] is of_hours else None

    def keep(self, of_hours: Sequence[RuleOutcome], said: tuple[RuleOutcome, ...], decision: Decision) -> None:
        """Keep a decision that allows. Others depend on the moment, or on when the message expires."""
        if decision.outcome is not Outcome.ALLOW:
            return
        if len(self._decisions) >= _DECISIONS_KEPT:
            self._decisions.clear()
        self._decisions[id(of_hours), said] = (of_hours, decision)


class Split:
    """The rules of an edition, by whether they are swayed by what is present in a message and its facts.

    `liftable` are the hours rules that may be lifted, `scan` is for what the rules that are swayed look for in content.
    `shared` says that so few are swayed that finding a decision made before is less work than making one.
    """

    __slots__ = (
        "_caps",
        "_header",
        "_settled_caps",
        "_settled_standing",
        "_standing",
        "liftable",
        "scan",
        "shared",
        "swayed_caps",
        "swayed_standing",
    )

    def __init__(self, edition: Edition, present: int) -> None:
        self._standing, self._caps = edition.standing, edition.caps
        self.swayed_standing: tuple[tuple[int, Judging], ...] = tuple(
            (place, rule.judge) for place, rule in enumerate(edition.standing) if sways(rule.swayed_by, present)
        )
        self.swayed_caps: tuple[tuple[int, JudgingCap], ...] = tuple(
            (place, rule.judge) for place, rule in enumerate(edition.caps) if sways(rule.swayed_by, present)
        )
        self.shared = len(self.swayed_standing) <= _SHARED_BY and not self.swayed_caps
        self._settled_standing = _others(len(edition.standing), self.swayed_standing)
        self._settled_caps = _others(len(edition.caps), self.swayed_caps)
        patterns = [p for place, _ in self.swayed_standing for p in edition.standing[place].patterns]
        self.scan = scan_for(frozenset(patterns)) if len(patterns) > 1 else None
        self.liftable = tuple(rule for rule in edition.liftable if sways(rule.swayed_by, present))
        settled = (
            *(edition.standing[place] for place in self._settled_standing),
            *(edition.caps[place] for place in self._settled_caps),
        )
        self._header = header_of(reduce(or_, (rule.swayed_by for rule in settled), NOTHING))

    def key(self, message: CustomerMessage, facts: Facts, now_ms: int) -> tuple[object, ...]:
        """Equal keys mean equal outcomes of the rules that are not swayed, while the profile is the same object."""
        return (
            self,
            self._header(message),
            now_ms // _DAY_MS,
            facts.jurisdiction,
            id(facts.sender),
            facts.unsubscribe_links,
        )

    def settle(self, message: CustomerMessage, facts: Facts, now_ms: int) -> Settled:
        """Ask the rules that are not swayed."""
        standing: list[RuleOutcome] = [_TO_BE_ASKED] * len(self._standing)
        for place in self._settled_standing:
            standing[place] = self._standing[place].judge(message, facts, now_ms)
        caps: list[RuleOutcome] = [_TO_BE_ASKED] * len(self._caps)
        for place in self._settled_caps:
            caps[place] = self._caps[place].judge(message, facts, now_ms)[0]
        return Settled(standing, caps, facts.sender)


class Edition:
    """The rules that bind one jurisdiction, channel and purpose while no rule comes into force or ends."""

    def __init__(self, in_force: Sequence[AnyRule], ahead: Sequence[AnyRule]) -> None:
        self.standing = tuple(rule for rule in in_force if isinstance(rule, StandingRule))
        self.caps = tuple(rule for rule in in_force if isinstance(rule, FrequencyCapRule))
        self.hours = tuple(rule for rule in in_force if isinstance(rule, HoursRule))
        self.hours_ahead = tuple(rule for rule in ahead if isinstance(rule, HoursRule))
        self.asks_hours = bool(self.hours or self.hours_ahead)
        self.liftable = tuple(rule for rule in (*self.hours, *self.hours_ahead) if rule.parameters.lifted_by)
        self.asks_holidays = any(rule.hours().holidays is not None for rule in (*self.hours, *self.hours_ahead))
        self.conditional = tuple(Conditional.of(rule) for rule in (*in_force, *ahead) if rule.condition is not None)
        self._rules = (in_force, ahead)
        self._without: dict[frozenset[str], Edition] = {}
        self._splits: dict[int, Split] = {}

    def split(self, present: int) -> Split:
        """The rules by whether they are swayed by what is present. There are few combinations, so all are kept."""
        split = self._splits.get(present)
        if split is None:
            split = self._splits[present] = Split(self, present)
        return split

    def without(self, rule_ids: frozenset[str]) -> Edition:
        """The edition less these rules, made once: what is said of hours is kept for each edition."""
        if not rule_ids:
            return self
        edition = self._without.get(rule_ids)
        if edition is None:
            edition = Edition(*([rule for rule in rules if rule.id not in rule_ids] for rules in self._rules))
            if len(self._without) < _EDITIONS_KEPT:
                self._without[rule_ids] = edition
        return edition


class Plan:
    """The editions, over time, of the rules for one jurisdiction, channel, purpose and category."""

    def __init__(self, rules: Sequence[AnyRule], channel: Channel) -> None:
        caps = (rule for rule in rules if isinstance(rule, FrequencyCapRule))
        self.counting = reduce(Counting.with_, (rule.counting(channel) for rule in caps), NOTHING_COUNTED)
        self.registries = tuple(dict.fromkeys(name for rule in rules for name in rule.registries))
        spans = {rule.id: rule.in_force_ms() for rule in rules}
        changes = sorted({*ALWAYS_MS, *(moment for span in spans.values() for moment in span)})
        self._changes = changes[1:-1]
        self._editions = [
            Edition(
                in_force=[rule for rule in rules if spans[rule.id][0] <= start < spans[rule.id][1]],
                ahead=[rule for rule in rules if spans[rule.id][0] > start],
            )
            for start in changes[:-1]
        ]

    def edition(self, now_ms: int) -> Edition:
        """The edition in force at a moment."""
        return self._editions[bisect_right(self._changes, now_ms)]


def _others(count: int, swayed: Sequence[tuple[int, object]]) -> tuple[int, ...]:
    places = {place for place, _ in swayed}
    return tuple(place for place in range(count) if place not in places)
