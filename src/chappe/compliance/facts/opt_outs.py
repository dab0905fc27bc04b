"""Requests to stop, as they were received: what was asked, when, and what has been answered."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chappe.compliance.opt_out.reply import Scope
from chappe.model.customer import Channel, Purpose

__all__ = ["OptOutRequest", "OptOutTopic", "RequestMeans", "Scope"]


class RequestMeans(StrEnum):
    """How a request came."""

    KEYWORD = "keyword"
    """A word such as STOP, alone."""
    FREE_TEXT = "free_text"
    LINK = "link"
    CALL = "call"
    IN_PERSON = "in_person"
    WRITING = "writing"
    """A letter, a mail, a form."""
    SIGNAL = "signal"
    """Set in a browser and sent by it: Global Privacy Control."""


class OptOutTopic(StrEnum):
    """What the person does not want."""

    MESSAGES = "messages"
    PROFILING = "profiling"
    SALE_OR_SHARING = "sale_or_sharing"
    """That the person's data be sold or handed on."""


class OptOutRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request. A consent that is recorded later than it was received takes it back, as far as that consent goes.

    `channel` is the one it is about; None is every one. With the scope `channel` it is about all messages there, with
    `promotional` about advertising there, with `all` about everything on every channel. `address` is the one it
    was made for: None is the recipient's own, another is one of the same person's. `keyword` is the word of a request
    by keyword. `deadline_ms` is by when it has to be met by law, as worked out on receipt. `confirmations_sent_at_ms`
    are the moments at which it was acknowledged to the person.
    """

    received_at_ms: int
    channel: Channel | None = None
    scope: Scope = Scope.CHANNEL
    topic: OptOutTopic = OptOutTopic.MESSAGES
    means: RequestMeans | None = None
    keyword: str | None = None
    address: str | None = None
    deadline_ms: int | None = None
    confirmations_sent_at_ms: tuple[int, ...] = ()

    def reaches(self, channel: Channel, purpose: Purpose) -> bool:
        """Whether messages of this channel and purpose are among what is not wanted."""
        if self.scope is Scope.ALL:
            return True
        if self.scope is Scope.PROMOTIONAL and purpose is not Purpose.PROMOTIONAL:
            return False
        return self.channel is None or self.channel is channel
