"""An immutable, numbered set of rules, compiled so that a verdict costs the same however many rules there
are.

The rules are indexed by jurisdiction, channel and purpose when the set is built; a message meets only those
that bind it. Everything that depends on the clock on the wall comes from timetables worked out once per set
of zones and four weeks, and kept.

How rules combine: the strictest wins, block before defer before the rest; what several rules require of the content
is all required. A deferral ends at the first moment at which every hours rule is open in every zone the recipient may
be in and every cap has room. If that is not within `MAX_DEFERRAL_MS`, or not before the message expires, the message
is blocked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from pathlib import Path

from chappe.compliance.conditions import Conditional, answers, explained
from chappe.compliance.counting import NOTHING_COUNTED, Counting
from chappe.compliance.facts import Facts
from chappe.compliance.hours import is_open, next_open
from chappe.compliance.hours_rule import HoursRule, Lift
from chappe.compliance.jurisdictions import EUROPEAN_UNION, WORLD, lineage, zones_of
from chappe.compliance.kinds import AnyRule, FrequencyCapRule
from chappe.compliance.kinds.opt_out_keyword import KeywordRule, keyword_rules
from chappe.compliance.loading import packaged_rule_files, read_rules, rule_files
from chappe.compliance.rule import ALWAYS_MS, StandingRule
from chappe.compliance.timetable import (
    MAX_DEFERRAL_MS,
    STRETCH_MS,
    BoundHours,
    Timetable,
    bind_hours,
    timetable,
)
from chappe.model.customer import Channel, CustomerMessage, Decision, Outcome, Purpose, RuleOutcome
from chappe.model.errors import InvalidInput

END_OF_TIME_MS = 253_370_764_800_000
"""9999-01-01; later moments are refused, because the calendar ends there."""
_TIMETABLES_KEPT = 2_048
_PLANS_KEPT = 20_000
_EDITIONS_KEPT = 1_024


_Key = tuple[tuple[str | None, ...], Channel, Purpose, str | None]
"""Jurisdictions, channel, purpose and category."""
_Whom = tuple[tuple[str, ...], str | None, tuple[Lift, ...]]
"""Zones, subdivision if holidays depend on it, and the rules that are lifted."""


class Edition:
    """The rules that bind one jurisdiction, channel and purpose while no rule comes into force or ends."""

    def __init__(self, in_force: Sequence[AnyRule], ahead: Sequence[AnyRule]) -> None:
        self.standing = tuple(rule for rule in in_force if isinstance(rule, StandingRule))
        self.caps = tuple(rule for rule in in_force if isinstance(rule, FrequencyCapRule))
        self.hours = tuple(rule for rule in in_force if isinstance(rule, HoursRule))
        self.hours_ahead = tuple(rule for rule in ahead if isinstance(rule, HoursRule))
        self.liftable = tuple(rule for rule in (*self.hours, *self.hours_ahead) if rule.parameters.lifted_by)
        self.asks_holidays = any(rule.hours().holidays is not None for rule in (*self.hours, *self.hours_ahead))
        self.conditional = tuple(Conditional.of(rule) for rule in (*in_force, *ahead) if rule.condition is not None)
        self._rules = (in_force, ahead)
        self._without: dict[frozenset[str], Edition] = {}

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

    def __init__(self, rules: Sequence[AnyRule]) -> None:
        self.caps = tuple(rule for rule in rules if isinstance(rule, FrequencyCapRule))
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


class RuleSet:
    """Decides messages. Safe to share between threads; never changes once built."""

    def __init__(self, rules: Iterable[AnyRule], version: int = 1) -> None:
        self.version = version
        self.rules = tuple(rules)
        self._by_place: dict[str, list[AnyRule]] = {WORLD: []}
        for rule in self.rules:
            self._by_place.setdefault(rule.jurisdiction, []).append(rule)
        self._categories = frozenset(category for rule in self.rules for category in rule.named_categories)
        self._plans: dict[_Key, Plan] = {}
        self._timetable = lru_cache(maxsize=_TIMETABLES_KEPT)(_timetable)
        # Hours open and close on whole seconds, so the messages of one second share what is said of them.
        self._closed = lru_cache(maxsize=_TIMETABLES_KEPT)(self._outcomes)

    @property
    def longest_cap_window_ms(self) -> int:
        """How far back `Facts.recent_sends` must reach for every message; 0 if nothing is capped."""
        return max((rule.longest_window_ms for rule in self.rules if isinstance(rule, FrequencyCapRule)), default=0)

    def counting(self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...] = ()) -> Counting:
        """What `Facts.recent_sends` must hold for this message; `NOTHING_COUNTED` if no cap binds it."""
        caps = self._plan(jurisdiction, message, also_in).caps
        return reduce(Counting.with_, (rule.counting(message) for rule in caps), NOTHING_COUNTED)

    def registries(
        self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """The registries that `Facts.registries` must tell of for this message, by `registry_id`."""
        return self._plan(jurisdiction, message, also_in).registries

    def keyword_rules(self, jurisdiction: str | None, channel: Channel, now_ms: int) -> tuple[KeywordRule, ...]:
        """The rules that name words to be understood from people there, and what an answer to them says."""
        return keyword_rules(self.rules, jurisdiction, channel, now_ms)

    def decide(self, message: CustomerMessage, facts: Facts, now_ms: int) -> Decision:
        """The verdict on a message at a moment. Pure: the same arguments give the same decision.

        Raises `InvalidInput` for a moment outside 1970 to 9998, and `ZoneInfoNotFoundError` for a zone in
        `facts` that the time zone database does not have.
        """
        if not 0 <= now_ms < END_OF_TIME_MS:
            raise InvalidInput("the moment to decide at must lie between 1970 and 9998", now_ms=now_ms)
        edition = self._plan(facts.jurisdiction, message, facts.also_in).edition(now_ms)
        failures: dict[str, str] = {}
        if edition.conditional:
            unbound, failures = answers(edition.conditional, message, facts, now_ms)
            edition = edition.without(unbound)
        outcomes = [rule.judge(message, facts, now_ms) for rule in edition.standing]
        hours: Timetable | None = None
        if edition.hours or edition.hours_ahead:
            whom = _whom(edition, message, facts, now_ms)
            hours = self._timetable(edition, whom, now_ms // STRETCH_MS)
            if is_open(hours.spans, now_ms):
                outcomes += hours.kept
            else:
                outcomes += self._closed(edition, whom, now_ms // 1000)
        room_from_ms = now_ms
        for rule in edition.caps:
            outcome, rule_has_room_from_ms = rule.judge(message, facts, now_ms)
            outcomes.append(outcome)
            room_from_ms = max(room_from_ms, rule_has_room_from_ms)
        if failures:
            outcomes = explained(outcomes, failures)
        return self._combined(message, outcomes, hours, room_from_ms, now_ms)

    def _plan(self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...]) -> Plan:
        category = message.category if message.category in self._categories else None
        key = ((jurisdiction, *also_in), message.channel, message.purpose, category)
        return self._plans.get(key) or self._new_plan(key)

    def _new_plan(self, key: _Key) -> Plan:
        """Made when first asked for: of all combinations a system meets few. Places without rules of their own share
        the plan of the nearest that has some, so that there are only so many.
        """
        jurisdictions, channel, purpose, category = key
        lineages = dict.fromkeys(place for jurisdiction in jurisdictions[::-1] for place in lineage(jurisdiction))
        places = sorted((place for place in lineages if place in self._by_place), key=_nearest_first)
        nearest = (tuple(places), channel, purpose, category)
        plan = self._plans.get(nearest)
        if plan is None:
            binding = (rule for place in places[::-1] for rule in self._by_place[place])
            plan = Plan([rule for rule in binding if rule.binds(channel, purpose, category)])
            self._plans[nearest] = plan
        if len(self._plans) < _PLANS_KEPT:
            self._plans[key] = plan
        return plan

    def _outcomes(self, edition: Edition, whom: _Whom, now_seconds: int) -> list[RuleOutcome]:
        stretch = now_seconds * 1000 // STRETCH_MS
        return self._timetable(edition, whom, stretch).outcomes(now_seconds * 1000)

    def _combined(
        self,
        message: CustomerMessage,
        outcomes: list[RuleOutcome],
        hours: Timetable | None,
        room_from_ms: int,
        now_ms: int,
    ) -> Decision:
        strictest = max((outcome.outcome.strictness for outcome in outcomes), default=0)
        if strictest < Outcome.DEFER.strictness:
            return Decision(Outcome.ALLOW, self.version, _strictest_first(outcomes) if strictest else tuple(outcomes))
        if strictest == Outcome.BLOCK.strictness:
            return Decision(Outcome.BLOCK, self.version, _strictest_first(outcomes))
        until_ms = room_from_ms if hours is None else next_open(hours.spans, room_from_ms)
        why_never = _why_never(until_ms, message, now_ms)
        if why_never:
            outcomes = [_never(outcome, why_never) for outcome in outcomes]
            return Decision(Outcome.BLOCK, self.version, _strictest_first(outcomes))
        return Decision(Outcome.DEFER, self.version, _strictest_first(outcomes), until_ms)


def load_rule_set(paths: Iterable[Path] | None = None, version: int = 1, *, beside_packaged: bool = False) -> RuleSet:
    """The rules of these files (and of the `*.yaml` files of folders), or those shipped with Chappe.

    With `beside_packaged`, both: a rule of the files then replaces the shipped one of the same id. Raises
    `InvalidConfiguration` naming the file, rule and field of everything that is wrong.
    """
    if paths is None:
        return RuleSet(read_rules(packaged_rule_files()), version)
    rules = read_rules(rule_files(paths))
    if beside_packaged:
        replaced = {rule.id for rule in rules}
        rules = [rule for rule in read_rules(packaged_rule_files()) if rule.id not in replaced] + rules
    return RuleSet(rules, version)


def _timetable(edition: Edition, whom: _Whom, stretch: int) -> Timetable:
    zones, place, lifts = whom

    def bind(rule: HoursRule) -> BoundHours:
        lift = next((lift for lift in lifts if lift.rule_id == rule.id), None)
        return bind_hours(rule, zones, stretch, place, lift)

    return timetable(edition.hours, edition.hours_ahead, bind, stretch)


def _whom(edition: Edition, message: CustomerMessage, facts: Facts, now_ms: int) -> _Whom:
    """What tells one recipient's hours from another's."""
    zones = facts.zones or zones_of(facts.jurisdiction)
    place = facts.jurisdiction if edition.asks_holidays and "-" in (facts.jurisdiction or "") else None
    lifts = (rule.lift(message, facts, now_ms) for rule in edition.liftable)
    return zones, place, tuple(lift for lift in lifts if lift is not None)


def _nearest_first(place: str) -> tuple[int, str]:
    if place == WORLD:
        return 3, place
    return (2 if place == EUROPEAN_UNION else 0 if "-" in place else 1), place


def _why_never(until_ms: int | None, message: CustomerMessage, now_ms: int) -> str:
    if until_ms is None or until_ms > now_ms + MAX_DEFERRAL_MS:
        return f"there is no lawful moment within {MAX_DEFERRAL_MS // 86_400_000} days"
    if message.expires_at_ms is not None and until_ms >= message.expires_at_ms:
        return "there is no lawful moment before the message expires"
    return ""


def _never(outcome: RuleOutcome, why: str) -> RuleOutcome:
    if outcome.outcome is not Outcome.DEFER:
        return outcome
    return RuleOutcome(outcome.id, Outcome.BLOCK, f"{outcome.reason}; {why}")


def _strictest_first(outcomes: list[RuleOutcome]) -> tuple[RuleOutcome, ...]:
    return tuple(sorted(outcomes, key=lambda outcome: -outcome.outcome.strictness))
