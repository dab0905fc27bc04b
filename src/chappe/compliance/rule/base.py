"""What every rule has, whatever its kind. A kind adds its `parameters` and a pure function over them.

A rule that needs only the message, the facts and the moment is a `StandingRule`. One that is a matter of the
clock on the recipient's wall is an `HoursRule` (see `hours_rule`): its lawful time is worked out beforehand, so
that it costs nothing per message.
"""

from __future__ import annotations

import datetime
from abc import abstractmethod
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.conditions import check_condition
from chappe.compliance.rule.examples import Example
from chappe.compliance.rule.inputs import EVERYTHING, Input
from chappe.model.customer import Amendment, Channel, CustomerMessage, Outcome, Purpose, RuleOutcome

ANY_CHANNEL = "any"
ALWAYS_MS = (-(2**62), 2**62)

RuleId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
Jurisdiction = Annotated[str, msgspec.Meta(pattern=r"^(\*|[A-Z]{2}(-[A-Z0-9]{1,3})?)$")]
Category = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=60)]
Unmet = Literal["block", "annotate"]
"""What follows from a requirement that cannot be met."""
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class AppliesTo(StrEnum):
    """The purposes a rule binds."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    BOTH = "both"

    def covers(self, purpose: Purpose) -> bool:
        return self is AppliesTo.BOTH or self.value == purpose.value


class Severity(StrEnum):
    """What a breach costs, for people who read the rules; it has no part in a decision."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(StrEnum):
    """How far the parameters of a rule have been checked."""

    VERIFIED = "verified"
    """The source states them."""
    GENERAL_KNOWLEDGE = "from general knowledge"
    """Not looked up."""
    HOUSE = "house"
    """No law: a choice of this project or of the operator."""


class SourceType(StrEnum):
    """Who says so."""

    PRIMARY = "primary"
    REGULATOR = "regulator"
    LAW_FIRM = "law-firm"
    VENDOR = "vendor"
    PRESS = "press"
    NONE = "none"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One regulatory rule.

    It binds messages on its `channels` ("any" for all) with a purpose that `applies_to` covers and, if it names any,
    one of its `categories`, to recipients whose jurisdiction lies in its own ("*" is the whole world), from
    `effective_from` until before `effective_until`; those days are taken as they begin first and end last anywhere
    on earth. What a rule that is not kept leads to is its `action`, which each kind narrows to what it can do. One
    that is not `enabled` is listed and decides nothing. With a `condition` (see `conditions`) it binds only messages of
    which that is true. Its `examples` are run as tests and shown in the
    documentation.
    """

    id: RuleId
    jurisdiction: Jurisdiction
    regulation: Line
    citation: Line
    channels: tuple[str, ...]
    applies_to: AppliesTo
    severity: Severity
    summary: Line
    source: Line
    confidence: Confidence
    source_type: SourceType = SourceType.NONE
    categories: tuple[Category, ...] = ()
    enabled: bool = True
    condition: str | None = None
    examples: tuple[Example, ...] = ()
    unverified_parameters: tuple[str, ...] = ()
    effective_from: datetime.date | None = None
    effective_until: datetime.date | None = None
    notes: str | None = None

    def __post_init__(self) -> None:
        known = {ANY_CHANNEL, *Channel}
        if not self.channels:
            raise ValueError("channels: name at least one channel, or [any]")
        for channel in self.channels:
            if channel not in known:
                names = ", ".join(sorted(known))
                raise ValueError(f"channels: unknown channel {channel!r}; known are {names}")
        if self.effective_from and self.effective_until and self.effective_from >= self.effective_until:
            raise ValueError("effective_until: must be later than effective_from")
        if self.condition is not None:
            try:
                check_condition(self.condition)
            except ValueError as error:
                raise ValueError(f"condition: {error}") from None

    @property
    def kind(self) -> str:
        """The kind's name, as written in the rule files."""
        return str(self.__struct_config__.tag)

    def binds(self, channel: Channel, purpose: Purpose, category: str | None = None) -> bool:
        """Whether the rule has anything to say of such messages."""
        return (
            self.enabled
            and self.applies_to.covers(purpose)
            and (ANY_CHANNEL in self.channels or channel in self.channels)
            and (not self.categories or category in self.categories)
        )

    @property
    def named_categories(self) -> tuple[Category, ...]:
        """The categories of messages for which it makes a difference whether the rule binds."""
        return self.categories

    @property
    def registries(self) -> tuple[str, ...]:
        """The registries whose answers the rule asks for, by `registry_id`."""
        return ()

    @property
    def swayed_by(self) -> Input:
        """The inputs that can change what the rule says, and whose values have to be compared (see `inputs`)."""
        return EVERYTHING

    def in_force_ms(self) -> tuple[int, int]:
        """The span in which the rule is in force, end exclusive."""
        start, end = ALWAYS_MS
        if self.effective_from:
            start = _utc_midnight_ms(self.effective_from) - _EARLIEST_ZONE_MS
        if self.effective_until:
            end = _utc_midnight_ms(self.effective_until) + _LATEST_ZONE_MS
        return start, end

    def kept(self, reason: str) -> RuleOutcome:
        """The outcome of a rule that lets the message pass."""
        return RuleOutcome(self.id, Outcome.ALLOW, reason)


class StandingRule(Rule, frozen=True, kw_only=True):
    """A rule judged from the message and the facts, whose verdict waiting alone does not change.

    A rule that requires something of the content adds it where it can. `unmet` is what it does where it cannot, because
    the sender's profile does not say what to add: stop the message (the default), or let it go and put that on record.
    """

    action: Literal["block", "require", "redact", "annotate"] = "block"
    unmet: Unmet | None = None

    @property
    def patterns(self) -> tuple[Any, ...]:
        """What the rule looks for in the content by `Shown.matches` and `has`, compiled: all rules look together."""
        return ()

    @abstractmethod
    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        """What the rule says of this message. Pure."""

    def broken(self, reason: str) -> RuleOutcome:
        """The outcome of a rule that is not kept: it stops the message, or notes it if that is all it does.

        The reason of a requirement says what to do to meet it.
        """
        noted = self.action == "annotate" or (self.unmet == "annotate" and self.action in ("require", "redact"))
        return RuleOutcome(self.id, Outcome.ANNOTATE if noted else Outcome.BLOCK, reason)

    def noted(self, reason: str) -> RuleOutcome:
        """The outcome of a rule that lets the message go and puts on record that it may not be kept."""
        return RuleOutcome(self.id, Outcome.ANNOTATE, reason)

    def amended(self, reason: str, *amendments: Amendment) -> RuleOutcome:
        """The outcome of a rule that is kept by changing the content."""
        outcome = Outcome.REDACT if self.action == "redact" else Outcome.REQUIRE
        return RuleOutcome(self.id, outcome, reason, amendments)


class DutyRule(Rule, frozen=True, kw_only=True):
    """A rule about records and requests rather than messages: how long to keep what, by when to do what."""

    action: Literal["require", "annotate"] = "require"


_DAY_MS = 86_400_000
_EARLIEST_ZONE_MS = 14 * 3_600_000
_LATEST_ZONE_MS = 12 * 3_600_000
_EPOCH = datetime.date(1970, 1, 1)


def _utc_midnight_ms(day: datetime.date) -> int:
    return (day - _EPOCH).days * _DAY_MS
