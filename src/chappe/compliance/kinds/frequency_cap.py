"""frequency_cap: only so many messages to a recipient in any window of time, and pauses.

What counts are the earlier messages that were let through to the same address: on the same channel (or on all of the
cap's channels `together`), of the purposes that the rule applies to, and alike in what the cap says (`same`). The
newest `records.knowledge.RECENT_SENDS_LIMIT` of each channel are looked at.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chappe.compliance.calendar.counting import Counting, Window, counts_until_ms, is_calendar, longest_ms, named
from chappe.compliance.calendar.local_time import ZONES_WHEN_UNKNOWN, TimeZone, check_zones
from chappe.compliance.calendar.periods import Period, end_of, in_words
from chappe.compliance.consent.grants import day_of
from chappe.compliance.facts.opt_outs import OptOutTopic
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.places.jurisdictions import zones_of
from chappe.compliance.rule.base import ANY_CHANNEL, Rule
from chappe.compliance.rule.inputs import Input
from chappe.model.customer import Channel, CustomerMessage, Outcome, RuleOutcome
from chappe.model.sends import Rate, RecentSend

DAY_MS = 86_400_000
_LONGEST_WINDOW_MS = 366 * DAY_MS

Likeness = Literal["event", "category", "sender", "template"]


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """At most `limit` messages in any window `per`: one that slides (`24h`) or one of the calendar (`day`).

    `channels` are those whose messages it binds; none are all of the rule's. They are counted each by itself, or with
    `together` all as one. `same` narrows what is counted to messages with the same event, category, sender or template;
    one that does not say counts as any. The limit is bounded because so many earlier messages have to be looked up.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)]
    per: Window
    channels: tuple[Channel, ...] = ()
    together: bool = False
    same: tuple[Likeness, ...] = ()

    def __post_init__(self) -> None:
        if longest_ms(self.per) > _LONGEST_WINDOW_MS:
            raise ValueError("per: at most one year")

    def binds(self, channel: Channel) -> bool:
        return not self.channels or channel in self.channels

    def counted(self, channel: Channel, rule: Rule) -> tuple[Channel, ...]:
        """The channels whose messages count against one of this channel."""
        if not self.together:
            return (channel,)
        named_ones = self.channels or tuple(
            each for each in Channel if ANY_CHANNEL in rule.channels or each in rule.channels
        )
        return tuple(dict.fromkeys((channel, *named_ones)))

    def is_alike(self, message: CustomerMessage, send: RecentSend) -> bool:
        for likeness in self.same:
            mine, theirs = getattr(message, likeness), getattr(send, likeness)
            if mine is not None and theirs is not None and mine != theirs:
                return False
        return True


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A breaker: from `warn` on it is put on record that the rate is high; once it has reached `stop`, messages wait
    until it was below that for `recovery_days`.
    """

    metric: str
    stop: Annotated[float, msgspec.Meta(gt=0, le=1)]
    warn: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    recovery_days: Annotated[int, msgspec.Meta(ge=0, le=366)] = 0

    def __post_init__(self) -> None:
        if self.warn is not None and self.warn > self.stop:
            raise ValueError("warn: must not be above stop")


class FrequencyCapParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every one of `caps` is kept, and the `rate`.

    `after_refusal_wait` is a pause that begins with a request to stop or a withdrawal, unless the person has agreed
    again since. A text of more than `max_chars` characters is stopped. `unknown_zones` are those whose calendar counts
    where the recipient's cannot be known. `informs` is for people, and has no part in a verdict.
    """

    caps: tuple[Cap, ...] = ()
    rate: RateLimit | None = None
    after_refusal_wait: Period | None = None
    max_chars: Annotated[int, msgspec.Meta(ge=1)] | None = None
    unknown_zones: tuple[TimeZone, ...] = ZONES_WHEN_UNKNOWN
    informs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.caps and self.rate is None and self.after_refusal_wait is None:
            raise ValueError("caps: give at least one, or a rate, or after_refusal_wait")
        check_zones("unknown_zones", self.unknown_zones)
        if not self.unknown_zones and any(is_calendar(cap.per) for cap in self.caps):
            raise ValueError("unknown_zones: name at least one, for the windows of the calendar")


class FrequencyCapRule(Rule, frozen=True, kw_only=True, tag_field="kind", tag="frequency_cap"):
    """Holds a message until there is room again (`action: defer`), or stops it (`block`)."""

    action: Literal["defer", "block"]
    parameters: FrequencyCapParameters

    @property
    def longest_window_ms(self) -> int:
        """How far back messages count; 0 if none do."""
        return max((longest_ms(cap.per) for cap in self.parameters.caps), default=0)

    def counting(self, channel: Channel) -> Counting:
        """The earlier messages that have to be known to judge one of this channel."""
        caps = [cap for cap in self.parameters.caps if cap.binds(channel)]
        channels = dict.fromkeys(counted for cap in caps for counted in cap.counted(channel, self))
        return Counting(max((longest_ms(cap.per) for cap in caps), default=0), tuple(channels))

    @property
    def swayed_by(self) -> Input:
        asked = self.parameters
        inputs = Input.SENDS
        if asked.max_chars is not None:
            inputs |= Input.CONTENT
        if asked.rate is not None:
            inputs |= Input.RATES | Input.FROM
        if asked.after_refusal_wait is not None:
            inputs |= Input.OPT_OUTS | Input.CONSENTS
        return inputs

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> tuple[RuleOutcome, int]:
        """What the rule says of this message, and from when on it would let it pass. Pure."""
        asked = self.parameters
        text = message.content.text or ""
        if asked.max_chars is not None and len(text) > asked.max_chars:
            reason = f"the text has {len(text)} characters, and at most {asked.max_chars} are allowed; shorten it"
            return RuleOutcome(self.id, Outcome.BLOCK, reason), now_ms
        latest = max([*self._full(message, facts, now_ms), *self._paused(message, facts)], default=None)
        if latest is not None and latest[0] > now_ms:
            return RuleOutcome(self.id, Outcome(self.action), latest[1]), latest[0]
        if asked.rate is not None:
            return self._of_rate(asked.rate, message, facts, now_ms)
        return self.kept(self._room(message, facts, now_ms)), now_ms

    def _full(self, message: CustomerMessage, facts: Facts, now_ms: int) -> list[tuple[int, str]]:
        """For each cap that is used up: from when on there is room, and why not before."""
        found = []
        for cap in self.parameters.caps:
            if not cap.binds(message.channel):
                continue
            counted = self._counted(cap, message, facts)
            if len(counted) < cap.limit:
                continue
            until_ms = counts_until_ms(cap.per, counted[-cap.limit], self._zones(facts))
            if until_ms > now_ms:
                found.append((until_ms, f"{_limit(cap)} are allowed, and all are used"))
        return found

    def _paused(self, message: CustomerMessage, facts: Facts) -> list[tuple[int, str]]:
        period = self.parameters.after_refusal_wait
        refused_ms = None if period is None else _refused_ms(message, facts)
        if period is None or refused_ms is None:
            return []
        reason = f"the recipient refused on {day_of(refused_ms)}, and is left alone for {in_words(period)}"
        return [(end_of(refused_ms, period), reason)]

    def _of_rate(
        self, limit: RateLimit, message: CustomerMessage, facts: Facts, now_ms: int
    ) -> tuple[RuleOutcome, int]:
        measured = sorted(
            (rate for rate in facts.rates if rate.metric == limit.metric and rate.sender in (None, message.sender)),
            key=_when,
        )
        if not measured:
            return self.kept(f"no {limit.metric} has been measured"), now_ms
        over = [rate for rate in measured if rate.value >= limit.stop]
        newest = measured[-1]
        if over:
            recovered_ms = over[-1].at_ms + limit.recovery_days * DAY_MS
            reason = (
                f"the {limit.metric} was {over[-1].value:.2%} on {day_of(over[-1].at_ms)}; it must stay below "
                f"{limit.stop:.2%} for {limit.recovery_days} days"
            )
            if recovered_ms > now_ms:
                return RuleOutcome(self.id, Outcome(self.action), reason), recovered_ms
            if newest is over[-1]:
                return RuleOutcome(self.id, Outcome.BLOCK, f"{reason}, and has not been measured since"), now_ms
        reason = f"the {limit.metric} is {newest.value:.2%}"
        if limit.warn is not None and newest.value >= limit.warn:
            return RuleOutcome(self.id, Outcome.ANNOTATE, f"{reason}, above the {limit.warn:.2%} to keep below"), now_ms
        return self.kept(reason), now_ms

    def _room(self, message: CustomerMessage, facts: Facts, now_ms: int) -> str:
        for cap in self.parameters.caps:
            if cap.binds(message.channel):
                zones = self._zones(facts)
                counted = self._counted(cap, message, facts)
                used = sum(1 for at_ms in counted if counts_until_ms(cap.per, at_ms, zones) > now_ms)
                return f"{used} of {_limit(cap)} are used"
        return "no limit is reached"

    def _counted(self, cap: Cap, message: CustomerMessage, facts: Facts) -> list[int]:
        """The moments of the messages that count, ascending."""
        if not facts.recent_sends:
            return []
        channels = cap.counted(message.channel, self)
        return sorted(
            send.at_ms
            for send in facts.recent_sends
            if send.channel in channels and self.applies_to.covers(send.purpose) and cap.is_alike(message, send)
        )

    def _zones(self, facts: Facts) -> tuple[str, ...]:
        return facts.zones or zones_of(facts.jurisdiction) or self.parameters.unknown_zones


def _limit(cap: Cap) -> str:
    alike = f" about the same {' and '.join(cap.same)}" if cap.same else ""
    return f"{cap.limit} messages{alike} in {named(cap.per)}"


def _when(rate: Rate) -> int:
    return rate.at_ms


def _refused_ms(message: CustomerMessage, facts: Facts) -> int | None:
    """When the person last refused messages like this one; None if they have agreed since, or never did refuse."""
    refusals = [
        request.received_at_ms
        for request in facts.opt_outs
        if request.topic is OptOutTopic.MESSAGES and request.reaches(message.channel, message.purpose)
    ]
    entries = [
        consent
        for consent in facts.consents
        if consent.purpose is message.purpose and consent.channel in (None, message.channel)
    ]
    refusals += [consent.recorded_at_ms for consent in entries if not consent.granted]
    refused_ms = max(refusals, default=None)
    if refused_ms is None or any(consent.granted and consent.recorded_at_ms > refused_ms for consent in entries):
        return None
    return refused_ms
