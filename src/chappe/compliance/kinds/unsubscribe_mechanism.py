"""unsubscribe_mechanism: a message says how to stop further ones, by a way that is good enough."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chappe.compliance.content.opt_out_means import (
    by_the_same_means,
    has_one_click,
    language_of,
    means_of,
    named,
    one_way,
    patterns_of_statements,
    statement,
    states,
)
from chappe.compliance.content.shown import shown
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import EVERYTHING, NOTHING, Input
from chappe.compliance.sender.profile import MeansKind, OptOutMeans
from chappe.model.customer import Amendment, CustomerMessage, Place, RuleOutcome

REPLIES_UNREAD = "Replies to this number are not read."


class UnsubscribeParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which ways to opt out are good enough, and where the message must name one.

    `means` are the kinds that will do; none means any. `works_days` is how long after the message it must work, `free`
    that it costs nothing, `login_allowed` whether the person may have to log in, `steps_max` how many steps it may
    take, `same_channel` that it takes no other medium than the message's. With `statement` the text itself must name a
    way, otherwise the one-click headers of e-mail are enough; with `one_click` they are what is asked, whatever the
    text says. `language` is the language of what is added, by default the text's own. With `if_one_way` the rule binds
    only texts whose sender cannot be answered, and they must say that too. `bulk_per_day` binds only senders of at
    least so many messages a day, and those of whom it is not known.
    """

    means: tuple[MeansKind, ...] = ()
    works_days: Annotated[int, msgspec.Meta(ge=1)] | None = None
    free: bool = False
    login_allowed: bool = True
    steps_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    same_channel: bool = False
    statement: bool = False
    one_click: bool = False
    language: Annotated[str, msgspec.Meta(pattern="^[a-z]{2}$")] | None = None
    if_one_way: bool = False
    bulk_per_day: Annotated[int, msgspec.Meta(ge=1)] | None = None


class UnsubscribeRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="unsubscribe_mechanism"):
    """Adds how to opt out, or blocks where the sender has no way that is good enough."""

    parameters: UnsubscribeParameters = UnsubscribeParameters()

    @property
    def swayed_by(self) -> Input:
        return NOTHING if self.parameters.one_click else EVERYTHING

    @property
    def patterns(self) -> tuple[Any, ...]:
        return () if self.parameters.one_click else patterns_of_statements(self.parameters.language)

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        volume = facts.sender.messages_per_day
        if asked.bulk_per_day is not None and volume is not None and volume < asked.bulk_per_day:
            return self.kept(f"the sender sends fewer than {asked.bulk_per_day} messages a day")
        if asked.one_click:
            return self._by_one_click(message, facts)
        if asked.if_one_way and not one_way(facts, message, now_ms):
            return self.kept("replies reach the sender")
        return self._by_statement(message, facts)

    def _by_one_click(self, message: CustomerMessage, facts: Facts) -> RuleOutcome:
        if has_one_click(facts, message):
            return self.kept("the headers for one-click unsubscription are added")
        return self.broken(
            "e-mail of this kind needs List-Unsubscribe headers with a link to this server: set server.public_url to "
            "where recipients reach it"
        )

    def _by_statement(self, message: CustomerMessage, facts: Facts) -> RuleOutcome:
        asked = self.parameters
        usable = tuple(means for means in means_of(facts, message) if self._is_good(means, message))
        if not usable:
            return self.broken(
                f"the message must say how to opt out, and no way{self._wanted()} is known: name one in "
                "senders.NAME.unsubscribe"
            )
        server_link = any(means.purposes and means.kind is MeansKind.LINK for means in usable)
        if not asked.statement and server_link and has_one_click(facts, message):
            return self.kept("the headers for one-click unsubscription are added")
        seen = shown(message.content)
        unread = asked.if_one_way and not seen.says(REPLIES_UNREAD)
        if not unread and states(seen, usable, asked.language):
            return self.kept("the message says how to opt out")
        chosen = usable[0]
        text = statement(chosen, asked.language or language_of(message, facts))
        return self.amended(
            f"how to opt out ({named(chosen)}) is added",
            Amendment(Place.TEXT_END, f"{REPLIES_UNREAD} {text}" if unread else text),
        )

    def _is_good(self, means: OptOutMeans, message: CustomerMessage) -> bool:
        asked = self.parameters
        return (
            (not asked.means or means.kind in asked.means)
            and (not asked.free or means.free)
            and (asked.login_allowed or not means.login)
            and (asked.steps_max is None or means.steps <= asked.steps_max)
            and (asked.works_days is None or means.works_days is None or means.works_days >= asked.works_days)
            and (not asked.same_channel or by_the_same_means(means, message.channel))
            and not (asked.if_one_way and means.kind is MeansKind.REPLY)
        )

    def _wanted(self) -> str:
        asked = self.parameters
        wishes = [
            f"by {' or '.join(kind.value for kind in asked.means)}" if asked.means else "",
            "by the same channel" if asked.same_channel else "",
            "free of charge" if asked.free else "",
            "" if asked.login_allowed else "without login",
            f"in {asked.steps_max} step{'s' if asked.steps_max != 1 else ''}" if asked.steps_max else "",
            f"for {asked.works_days} days" if asked.works_days else "",
        ]
        return "".join(f" {wish}" for wish in wishes if wish)
