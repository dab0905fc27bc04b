"""How a recipient can say no: which means a sender has, what they are worth, and how a message states them."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec
import re2

from chappe.compliance.content.shown import Shown
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.packaged_tables import parse_table
from chappe.compliance.sender.originator import SenderType, originator, sender_type
from chappe.compliance.sender.profile import MeansKind, OptOutMeans
from chappe.model.customer import Channel, CustomerMessage, Purpose

UNSUBSCRIBE_URL = "{unsubscribe_url}"
"""Stands in an amendment for the message's own link, which is made when it is sent."""
SERVER_LINK = OptOutMeans(kind=MeansKind.LINK, value=UNSUBSCRIBE_URL, purposes=(Purpose.PROMOTIONAL,))
"""The link that the server makes: free, without login, one click, good for as long as the message's record is kept."""

_BY_THE_SAME_MEANS = {
    Channel.EMAIL: (MeansKind.LINK, MeansKind.EMAIL),
    Channel.SMS: (MeansKind.REPLY,),
    Channel.VOICE: (MeansKind.PHONE, MeansKind.REPLY),
}


class Statements(msgspec.Struct, frozen=True):
    """How each means is stated in a language, and what a statement in it is known by (RE2, case ignored)."""

    reply: str
    link: str
    email: str
    phone: str
    known_by: str

    def of(self, means: OptOutMeans) -> str:
        """The statement of these means."""
        template: str = getattr(self, means.kind.value)
        return template.replace("{}", means.value)


def _read() -> dict[str, Statements]:
    text = files("chappe.compliance.content").joinpath("opt_out_statements.yaml").read_text(encoding="utf-8")
    return msgspec.convert(parse_table(text), dict[str, Statements])


STATEMENTS = _read()
"""By language (ISO 639-1). In a language that is not here, English is used."""

_KNOWN_BY = {language: re2.compile(f"(?i){entry.known_by}") for language, entry in STATEMENTS.items()}
_ANY_STATEMENT = re2.compile("(?i)" + "|".join(entry.known_by for entry in STATEMENTS.values()))
_ADDRESS = {
    MeansKind.LINK: re2.compile(r"(?i)https?://|\bwww\.|\b[a-z0-9-]+\.[a-z]{2,}/\S|\{unsubscribe_url\}"),
    MeansKind.EMAIL: re2.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    MeansKind.PHONE: re2.compile(r"\+?[0-9][0-9 ()/.-]{3,}[0-9]"),
}


def means_of(facts: Facts, message: CustomerMessage) -> tuple[OptOutMeans, ...]:
    """The means that stop messages like this one: in e-mail the server's link first, otherwise the sender's own.

    Only texts and calls can be answered with a word.
    """
    stated = facts.sender.unsubscribe
    known = stated
    if facts.unsubscribe_links:
        known = (SERVER_LINK, *stated) if message.channel is Channel.EMAIL else (*stated, SERVER_LINK)
    answerable = message.channel in (Channel.SMS, Channel.VOICE)
    return tuple(
        entry
        for entry in known
        if (not entry.purposes or message.purpose in entry.purposes)
        and (answerable or entry.kind is not MeansKind.REPLY)
    )


def one_way(facts: Facts, message: CustomerMessage, now_ms: int) -> bool:
    """Whether a reply would reach nobody: so stated, or the message comes from a name, which cannot be answered."""
    if facts.sender.inbound is not None:
        return not facts.sender.inbound
    sender = originator(message, facts.sender, facts.jurisdiction, now_ms)
    return sender is not None and message.channel is Channel.SMS and sender_type(sender) is SenderType.ALPHANUMERIC


def by_the_same_means(means: OptOutMeans, channel: Channel) -> bool:
    """Whether using them takes no other medium than the message's. Where none is named, a link is of the same."""
    return means.kind in _BY_THE_SAME_MEANS.get(channel, (MeansKind.LINK,))


def has_one_click(facts: Facts, message: CustomerMessage) -> bool:
    """Whether the server adds the headers of RFC 8058."""
    return facts.unsubscribe_links and message.channel is Channel.EMAIL and message.purpose is Purpose.PROMOTIONAL


def states(seen: Shown, means: tuple[OptOutMeans, ...], language: str | None = None) -> bool:
    """Whether the content says how to opt out by one of these means, in this language or in any."""
    if not seen.matches(_ANY_STATEMENT if language is None else _known_by(language)):
        return False
    return any(_names(seen, entry) for entry in means)


def statement(means: OptOutMeans, language: str) -> str:
    """How these means are stated in a language, or in English."""
    return STATEMENTS.get(language, STATEMENTS["en"]).of(means)


def language_of(message: CustomerMessage, facts: Facts) -> str:
    """The language to state things in: the text's, or the sender's usual one; `en` where neither is known."""
    if message.language:
        return message.language.partition("-")[0].lower()
    return facts.sender.languages[0] if facts.sender.languages else "en"


def patterns_of_statements(language: str | None = None) -> tuple[Any, ...]:
    """The patterns by which `states` finds out, in this language or in any."""
    return (_ANY_STATEMENT if language is None else _known_by(language), *_ADDRESS.values())


@lru_cache(maxsize=64)
def _known_by(language: str) -> re2._Regexp:
    return _KNOWN_BY.get(language, _KNOWN_BY["en"])


def _names(seen: Shown, means: OptOutMeans) -> bool:
    address = _ADDRESS.get(means.kind)
    if seen.says(means.value):
        return True
    # An address of the sender's own making serves as well as the one that is configured.
    return address is not None and seen.matches(address)


def named(means: OptOutMeans) -> str:
    """The means, in words for a reason."""
    if means.value == UNSUBSCRIBE_URL:
        return "the server's link"
    return f"{means.kind.value} {means.value}"
