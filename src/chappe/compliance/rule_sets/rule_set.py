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

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from chappe.compliance.calendar.counting import Counting
from chappe.compliance.calendar.hours import is_open, next_open
from chappe.compliance.content.shown import shown
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.kinds import AnyRule, FrequencyCapRule
from chappe.compliance.kinds.opt_out_keyword import KeywordRule, keyword_rules
from chappe.compliance.places.jurisdictions import zones_of
from chappe.compliance.rule.conditions import answers, explained
from chappe.compliance.rule.hours_rule import HoursRule, Lift
from chappe.compliance.rule.inputs import present_in
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules, rule_files
from chappe.compliance.rule_sets.editions import Edition, Plan, Settled, Split
from chappe.compliance.rule_sets.timetable import (
    MAX_DEFERRAL_MS,
    STRETCH_MS,
    BoundHours,
    Timetable,
    bind_hours,
    timetable,
)
from chappe.model.customer import Channel, CustomerMessage, Decision, Outcome, Purpose, RuleOutcome
from chappe.model.errors import InvalidInput
from chappe.model.jurisdictions import EUROPEAN_UNION, WORLD, lineage

END_OF_TIME_MS = 253_370_764_800_000
"""9999-01-01; later moments are refused, because the calendar ends there."""
_TIMETABLES_KEPT = 2_048
_PLANS_KEPT = 20_000
_SETTLED_KEPT = 4_096
_ALLOW = Outcome.ALLOW


_Key = tuple[tuple[str | None, ...], Channel, Purpose, str | None]
"""Jurisdictions, channel, purpose and category."""
_Whom = tuple[tuple[str, ...], str | None, tuple[Lift, ...]]
"""Zones, subdivision if holidays depend on it, and the rules that are lifted."""


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
        self._capped: dict[tuple[Channel, Purpose, str | None], bool] = {}
        self._settled_by_key: dict[tuple[object, ...], Settled] = {}
        self._timetable = lru_cache(maxsize=_TIMETABLES_KEPT)(_timetable)
        # Hours open and close on whole seconds, so the messages of one second share what is said of them.
        self._closed = lru_cache(maxsize=_TIMETABLES_KEPT)(self._outcomes)

    @property
    def longest_cap_window_ms(self) -> int:
        """How far back `Facts.recent_sends` must reach for every message; 0 if nothing is capped."""
        return max((rule.longest_window_ms for rule in self.rules if isinstance(rule, FrequencyCapRule)), default=0)

    def counting(self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...] = ()) -> Counting:
        """What `Facts.recent_sends` must hold for this message; `NOTHING_COUNTED` if no cap binds it."""
        return self._plan(jurisdiction, message, also_in).counting

    def caps(self, message: CustomerMessage, purpose: Purpose | None = None) -> bool:
        """Whether a cap binds such messages in any place, or would if they were of this purpose."""
        key = message.channel, purpose or message.purpose, self._category(message)
        capped = self._capped.get(key)
        if capped is None:
            binding = (rule for rule in self.rules if isinstance(rule, FrequencyCapRule) and rule.binds(*key))
            capped = any(rule.counting(message.channel).window_ms for rule in binding)
            self._capped[key] = capped
        return capped

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
        split = edition.split(present_in(message, facts))
        settled = self._settled(split, message, facts, now_ms)
        if split.scan is not None:
            shown(message.content).look_for(split.scan)
        standing = settled.standing.copy()
        for place, judge in split.swayed_standing:
            standing[place] = judge(message, facts, now_ms)
        hours: Timetable | None = None
        of_hours: Sequence[RuleOutcome] = ()
        closed = False
        if edition.asks_hours:
            whom = _whom(edition, split, message, facts, now_ms)
            hours = self._timetable(edition, whom, now_ms // STRETCH_MS)
            closed = not is_open(hours.spans, now_ms)
            of_hours = self._closed(edition, whom, now_ms // 1000) if closed else hours.kept
        shared = split.shared and not closed and not failures
        said = tuple([standing[place] for place, _ in split.swayed_standing]) if shared else ()
        if shared and (before := settled.decision(of_hours, said)) is not None:
            return before
        outcomes = [*standing, *of_hours, *settled.caps]
        room_from_ms = now_ms
        first = len(outcomes) - len(settled.caps)
        for place, judge_cap in split.swayed_caps:
            outcomes[first + place], rule_has_room_from_ms = judge_cap(message, facts, now_ms)
            room_from_ms = max(room_from_ms, rule_has_room_from_ms)
        if failures:
            outcomes = explained(outcomes, failures)
        decision = self._combined(message, outcomes, hours, room_from_ms, now_ms)
        if shared:
            settled.keep(of_hours, said, decision)
        return decision

    def _plan(self, jurisdiction: str | None, message: CustomerMessage, also_in: tuple[str, ...]) -> Plan:
        key = ((jurisdiction, *also_in), message.channel, message.purpose, self._category(message))
        return self._plans.get(key) or self._new_plan(key)

    def _category(self, message: CustomerMessage) -> str | None:
        """The category, if it makes a difference to any rule."""
        return message.category if message.category in self._categories else None

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
            plan = Plan([rule for rule in binding if rule.binds(channel, purpose, category)], channel)
            self._plans[nearest] = plan
        if len(self._plans) < _PLANS_KEPT:
            self._plans[key] = plan
        return plan

    def _settled(self, split: Split, message: CustomerMessage, facts: Facts, now_ms: int) -> Settled:
        """What the rules say that nothing about this message sways."""
        key = split.key(message, facts, now_ms)
        settled = self._settled_by_key.get(key)
        if settled is None:
            settled = split.settle(message, facts, now_ms)
            if len(self._settled_by_key) >= _SETTLED_KEPT:
                self._settled_by_key.clear()  # they go stale by the day, and are soon worked out again
            self._settled_by_key[key] = settled
        return settled

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
        sorted_outcomes = _strictest_first(outcomes)
        strictest = sorted_outcomes[0].outcome if sorted_outcomes else Outcome.ALLOW
        if strictest is Outcome.BLOCK:
            return Decision(Outcome.BLOCK, self.version, sorted_outcomes)
        if strictest is not Outcome.DEFER:
            return Decision(Outcome.ALLOW, self.version, sorted_outcomes)
        until_ms = room_from_ms if hours is None else next_open(hours.spans, room_from_ms)
        why_never = _why_never(until_ms, message, now_ms)
        if why_never:
            outcomes = [_never(outcome, why_never) for outcome in outcomes]
            return Decision(Outcome.BLOCK, self.version, _strictest_first(outcomes))
        return Decision(Outcome.DEFER, self.version, sorted_outcomes, until_ms)


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


def _whom(edition: Edition, split: Split, message: CustomerMessage, facts: Facts, now_ms: int) -> _Whom:
    """What tells one recipient's hours from another's."""
    zones = facts.zones or zones_of(facts.jurisdiction)
    place = facts.jurisdiction if edition.asks_holidays and "-" in (facts.jurisdiction or "") else None
    if not split.liftable:
        return zones, place, ()
    lifts = (rule.lift(message, facts, now_ms) for rule in split.liftable)
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
    """Those that let the message pass as it is, nearly all of them, are not compared."""
    rest = [outcome for outcome in outcomes if outcome.outcome is not _ALLOW]
    if not rest:
        return tuple(outcomes)
    if len(rest) > 1:
        rest.sort(key=_strictness, reverse=True)
    return (*rest, *[outcome for outcome in outcomes if outcome.outcome is _ALLOW])


def _strictness(outcome: RuleOutcome) -> int:
    return outcome.outcome.strictness
