"""Reading requests to stop: which one stands against a message.

A request counts from the moment it was received, and is taken back only by a consent to such messages that was recorded
later. A request that was received after the moment of the decision counts all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chappe.compliance.consent.grants import day_of
from chappe.compliance.facts.consents import Consent
from chappe.compliance.facts.opt_outs import OptOutRequest, OptOutTopic
from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import CustomerMessage

PROFILED = "profiled"
"""The category of a message whose recipients or contents were chosen by a profile of the person."""

_NOT_IN_WORDS = re.compile(r"[\W_]+")


def standing_request(
    message: CustomerMessage, facts: Facts, now_ms: int, counts: Callable[[OptOutRequest], bool]
) -> OptOutRequest | None:
    """The latest request that stands against the message, of those that count for a rule."""
    latest: OptOutRequest | None = None
    for request in facts.opt_outs:
        if latest is not None and request.received_at_ms <= latest.received_at_ms:
            continue
        if not (request.reaches(message.channel, message.purpose) and _is_about(request, message) and counts(request)):
            continue
        if not _taken_back(request, message, facts.consents, now_ms):
            latest = request
    return latest


def is_own_address(request: OptOutRequest, message: CustomerMessage) -> bool:
    """Whether the request was made for the address that the message goes to."""
    return request.address is None or request.address == message.to.address


def plain_word(keyword: str) -> str:
    """A keyword for comparing: letters and digits alone, without case ("OPT-OUT" is "optout")."""
    return _NOT_IN_WORDS.sub("", keyword).casefold()


def in_words(request: OptOutRequest) -> str:
    """The request, for a reason."""
    how = f" with {request.keyword}" if request.keyword else ""
    return f"the person asked on {day_of(request.received_at_ms)}{how} {_TOPICS[request.topic]}"


_TOPICS = {
    OptOutTopic.MESSAGES: "to get no more such messages",
    OptOutTopic.PROFILING: "not to be profiled",
    OptOutTopic.SALE_OR_SHARING: "that the data be neither sold nor shared",
}


def _is_about(request: OptOutRequest, message: CustomerMessage) -> bool:
    return request.topic is not OptOutTopic.PROFILING or message.category == PROFILED


def _taken_back(request: OptOutRequest, message: CustomerMessage, consents: Sequence[Consent], now_ms: int) -> bool:
    return any(
        consent.granted
        and request.received_at_ms < consent.recorded_at_ms <= now_ms
        and consent.purpose is message.purpose
        and (consent.channel is None or consent.channel is message.channel)
        and (consent.expires_at_ms is None or now_ms < consent.expires_at_ms)
        for consent in consents
    )
