"""opt_out_honour: a request to stop is met, and how.

Every request is met from the moment it was received, whatever time the law leaves: the deadline is told in the reason,
and `deadline_ms` gives it to whoever tracks it. `keep_until_ms` says for how long the request has to be kept at least.

Only informing, with no part in a verdict: `counted_from`, and `informs`. There stand what Chappe does anyway (it takes
a request by any means, at once, free, without conditions), and what rules of other kinds ask (for how long a link
works).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chappe.compliance.calendar.periods import Period, end_of, in_words
from chappe.compliance.consent.grants import day_of
from chappe.compliance.consent.opt_outs import in_words as request_in_words
from chappe.compliance.consent.opt_outs import is_own_address, standing_request
from chappe.compliance.content.way_out import way_out
from chappe.compliance.facts.opt_outs import OptOutRequest, OptOutTopic, RequestMeans
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.kinds.consent_required import CONSENT_REQUEST
from chappe.compliance.opt_out.deadlines import HonourTerm, due_at_ms
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.model.categories import HELP_REPLY, OPT_OUT_CONFIRMATION
from chappe.model.customer import CustomerMessage, Purpose, RuleOutcome


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an opt-out may be acknowledged, by messages of the category `opt_out_confirmation`.

    At most `max` of them, `within` such a time of the request; as transactional messages unless `promotional_content`.
    """

    max: Annotated[int, msgspec.Meta(ge=0)] = 1
    within: Period | None = None
    promotional_content: bool = False


class OptOutParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`deadline` (in `unit`, from receipt) is by when the law wants a request met; it may leave that open. A rule that
    is `confirmation_only` is about the `confirmation` of a request and asks nothing of other messages.

    `topic` is what a request has to be about, `includes` what else counts. Requests that a browser sends as a signal
    count with `signals`. With `all_addresses` a request for another of the person's addresses counts for all. A request
    has to be kept at least for `keep_for`; with `lapses` it ends then, without, only the person ends it. For
    `re_ask_after` the person must not be asked for consent again; without it never.

    With `mention_required` each message shows a way to refuse, with `free` one that costs nothing.
    """

    deadline: Annotated[int, msgspec.Meta(ge=0, le=366)] | None = None
    unit: Literal["hours", "days", "business_days", "working_days"] = "days"
    counted_from: Literal["receipt"] = "receipt"
    topic: OptOutTopic = OptOutTopic.MESSAGES
    includes: tuple[OptOutTopic, ...] = ()
    signals: bool = False
    all_addresses: bool = False
    keep_for: Period | None = None
    lapses: bool = False
    re_ask_after: Period | None = None
    confirmation: Confirmation = Confirmation()
    confirmation_only: bool = False
    mention_required: bool = False
    free: bool = False
    informs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.lapses and self.keep_for is None:
            raise ValueError("lapses: says that a request ends after keep_for, which is not given")


class OptOutRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="opt_out_honour"):
    """Blocks what a person has asked not to get."""

    parameters: OptOutParameters

    @property
    def swayed_by(self) -> Input:
        inputs = Input.CATEGORY | Input.OPT_OUTS
        if self.parameters.mention_required:
            inputs |= Input.CONTENT
        return inputs

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wanted = self.parameters
        request = self._request(message, facts, now_ms) if facts.opt_outs else None
        if message.category == OPT_OUT_CONFIRMATION:
            return self._of_confirmation(message, request, now_ms)
        if request is not None and not wanted.confirmation_only and message.category != HELP_REPLY:
            return self._of_message(message, request, facts, now_ms)
        if wanted.mention_required and message.purpose is Purpose.PROMOTIONAL:
            out = way_out(message, facts, free=wanted.free)
            if out.lacks:
                return self.broken(out.lacks)
            if out.amendments:
                return self.amended("the message does not show how to refuse, so that is added", *out.amendments)
        return self.kept(_NO_REQUEST if request is None else "the rule is about the confirmation of an opt-out alone")

    def _request(self, message: CustomerMessage, facts: Facts, now_ms: int) -> OptOutRequest | None:
        wanted = self.parameters

        def counts(request: OptOutRequest) -> bool:
            if request.topic is not wanted.topic and request.topic not in wanted.includes:
                return False
            if request.means is RequestMeans.SIGNAL and not wanted.signals:
                return False
            if wanted.lapses and now_ms >= (keep_until_ms(self, request.received_at_ms) or now_ms):
                return False
            return wanted.all_addresses or is_own_address(request, message)

        return standing_request(message, facts, now_ms, counts)

    def _of_message(self, message: CustomerMessage, request: OptOutRequest, facts: Facts, now_ms: int) -> RuleOutcome:
        wait = self.parameters.re_ask_after
        reason = request_in_words(request)
        if message.category == CONSENT_REQUEST and wait is not None:
            if now_ms >= end_of(request.received_at_ms, wait):
                return self.kept(f"{reason}; {in_words(wait)} later the person may be asked for consent again")
            return self.broken(f"{reason} and must not be asked for consent again for {in_words(wait)}")
        if self.parameters.deadline is None:
            return self.broken(f"{reason}, and that is met at once")
        due = deadline_ms(self, request.received_at_ms, facts.jurisdiction)
        return self.broken(f"{reason}; the rule wants that met by {day_of(due)}, here it is met at once")

    def _of_confirmation(self, message: CustomerMessage, request: OptOutRequest | None, now_ms: int) -> RuleOutcome:
        allowed = self.parameters.confirmation
        if message.purpose is Purpose.PROMOTIONAL and not allowed.promotional_content:
            return self.broken("an opt-out is confirmed without advertising: send the confirmation as transactional")
        if request is None:
            return self.kept(_NO_REQUEST)
        if len(request.confirmations_sent_at_ms) >= allowed.max:
            return self.broken(f"{request_in_words(request)}, and it may be confirmed {_times(allowed.max)}")
        if allowed.within is not None and now_ms >= end_of(request.received_at_ms, allowed.within):
            return self.broken(f"{request_in_words(request)}, more than {in_words(allowed.within)} ago")
        return self.kept("the opt-out is confirmed")


_NO_REQUEST = "no request to stop stands against the message"


def deadline_ms(rule: OptOutRule, received_at_ms: int, calendar: str | None = None) -> int:
    """By when the law wants a request met that was received then (see `opt_out.deadlines`); a rule without a deadline
    wants it met at once.

    `calendar` is the country or subdivision (ISO 3166) of the person, whose holidays and zones count; by default the
    rule's own.
    """
    wanted = rule.parameters
    term = HonourTerm(rule.id, wanted.deadline or 0, wanted.unit, calendar or rule.jurisdiction)
    return due_at_ms(term, received_at_ms, ())


def keep_until_ms(rule: OptOutRule, received_at_ms: int) -> int | None:
    """Until when a request has to be kept at the least; None if the rule does not say."""
    period = rule.parameters.keep_for
    return None if period is None else end_of(received_at_ms, period)


def _times(count: int) -> str:
    return {0: "not at all", 1: "once only"}.get(count, f"{count} times only")
