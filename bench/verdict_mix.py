"""A day's messages, small: who gets what where, with what is known of each, for measuring verdicts.

The shares are assumptions, written down here: transactional to promotional 60 to 40; e-mail, text messages and push as
below; countries by their share of messages. Half of the people with a mail address are placed by their profile, the
others as far as the address tells. Everyone who gets advertising has agreed to it, as recorded at a moment of their
own; a third of all people are known as customers. No two contents are alike.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import msgspec

from chappe.compliance.facts.person import AddressSource
from chappe.compliance.facts.recipient import (
    Consent,
    ConsentDetails,
    ConsentLevel,
    Facts,
    Person,
    RecentSend,
    RegistryAnswer,
    locate,
)
from chappe.compliance.places.jurisdictions import zones_of
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.demo.sender import ACME
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient

DAY_MS = 86_400_000
NOW_MS = 20_775 * DAY_MS + 16 * 3_600_000
"""A Wednesday in November 2026, 16:00 UTC."""
_SEED = 4
_CHANNELS = {Channel.EMAIL: 55, Channel.SMS: 33, Channel.PUSH: 12}
_COUNTRIES = {
    "US": ("+1212555{:04}", "example.com", 24),
    "IN": ("+9198765{:05}", "example.in", 18),
    "DE": ("+491512345{:04}", "example.de", 7),
    "GB": ("+447700{:06}", "example.co.uk", 7),
    "BR": ("+55119876{:05}", "example.com.br", 7),
    "FR": ("+336123{:05}", "example.fr", 6),
    "JP": ("+8190123{:05}", "example.jp", 5),
    "ES": ("+346123{:05}", "example.es", 4),
    "IT": ("+393331{:06}", "example.it", 4),
    "MX": ("+52551234{:04}", "example.mx", 4),
    "ID": ("+62812345{:05}", "example.id", 4),
    "CA": ("+1416555{:04}", "example.ca", 3),
    "NG": ("+234803123{:04}", "example.ng", 3),
    "AU": ("+614123{:05}", "example.au", 2),
    "KR": ("+82101234{:04}", "example.kr", 2),
}
"""A number, a mail domain and the share of the messages."""
_TRANSACTIONAL = (
    "Your code is {n}. It is valid for ten minutes; do not share it with anybody.",
    "Order {n} is on its way and arrives tomorrow between 10:00 and 12:00.",
    "Your appointment on Friday at 9:30 is confirmed. Reference {n}.",
    "We received your payment of 49.90 for invoice {n}. Thank you.",
)
_PROMOTIONAL = (
    "Acme: 20% off telescopes this week with the code STARS{n}. Reply STOP to opt out.",
    "Acme: the new eyepieces are here, number {n} is yours. Reply STOP to opt out.",
    "Acme: members see Saturn first. Your place is {n}. Reply STOP to opt out.",
)
_FILLER = (
    " The details are in your account, where you can change how we write to you at any time. If you have a question, "
    "answer this message or call us; we are there from Monday to Friday."
)


class Case(NamedTuple):
    """One message to decide."""

    message: CustomerMessage
    facts: Facts


def cases(rules: RuleSet, count: int) -> list[Case]:
    """So many messages of the mix, in no order; the same ones each time."""
    source = random.Random(_SEED)
    return [_case(rules, source, number) for number in range(count)]


def class_of(case: Case) -> str:
    """As in `sms promotional`."""
    return f"{case.message.channel.value} {case.message.purpose.value}"


def _case(rules: RuleSet, source: random.Random, number: int) -> Case:
    purpose = Purpose.TRANSACTIONAL if source.random() < 0.6 else Purpose.PROMOTIONAL
    channel = source.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
    country = source.choices(list(_COUNTRIES), [entry[2] for entry in _COUNTRIES.values()])[0]
    to, place, zones = _recipient(source, channel, country)
    message = CustomerMessage(
        f"msg_{number:016}",
        to,
        channel,
        purpose,
        _content(source, channel, purpose, number),
        NOW_MS - 2_000,
        category=source.choice([None, "order_update"]) if purpose is Purpose.TRANSACTIONAL else None,
    )
    advertises = purpose is Purpose.PROMOTIONAL
    facts = Facts(
        place,
        zones,
        consents=(_consent(source, channel, purpose),) if advertises or source.random() < 0.3 else (),
        recent_sends=(RecentSend(NOW_MS - 3 * DAY_MS, channel, purpose),) if source.random() < 0.2 else (),
        person=_person(source),
        sender=ACME,
        unsubscribe_links=True,
        registries=tuple(
            RegistryAnswer(name, False, None, NOW_MS - DAY_MS) for name in rules.registries(place, message)
        ),
    )
    return Case(message, facts)


def _recipient(source: random.Random, channel: Channel, country: str) -> tuple[Recipient, str | None, tuple[str, ...]]:
    number, domain, _ = _COUNTRIES[country]
    if channel is Channel.PUSH:
        return Recipient(user=f"user-{source.randrange(10**9)}"), country, zones_of(country)
    if channel is Channel.SMS:
        to = Recipient(phone=number.format(source.randrange(10**4)))
    else:
        to = Recipient(email=f"person{source.randrange(10**9)}@{domain}")
    found = locate(to)
    if found.jurisdiction is None and source.random() < 0.5:
        return to, country, zones_of(country)
    return to, found.jurisdiction, found.zones


def _content(source: random.Random, channel: Channel, purpose: Purpose, number: int) -> Content:
    texts = _PROMOTIONAL if purpose is Purpose.PROMOTIONAL else _TRANSACTIONAL
    text = source.choice(texts).format(n=100_000 + number)
    if channel is not Channel.EMAIL:
        return Content(text=text)
    return Content(subject=text[:40], text=f"Hello,\n\n{text}{_FILLER * source.randrange(1, 4)}\n\nAcme")


def _consent(source: random.Random, channel: Channel, purpose: Purpose) -> Consent:
    at_ms = NOW_MS - source.randrange(10 * DAY_MS, 300 * DAY_MS)
    details = ConsentDetails(
        confirmation_sent_at_ms=at_ms, confirmed_at_ms=at_ms + 60_000, notice_at_ms=at_ms, wording="yes", ip="192.0.2.1"
    )
    return Consent(channel, purpose, True, at_ms, level=ConsentLevel.WRITTEN, proof="form 12", details=details)


def _person(source: random.Random) -> Person:
    if source.random() < 2 / 3:
        return Person()
    bought_ms = NOW_MS - source.randrange(DAY_MS, 400 * DAY_MS)
    return Person(customer_since_ms=bought_ms, last_purchase_ms=bought_ms, address_source=AddressSource.SALE)


def with_long_html(case: Case) -> Case:
    """The same mail as a page of HTML of about 4 KB."""
    content = case.message.content
    row = f"<tr><td style='padding:8px'>{content.text}</td><td><a href='https://acme.example/p'>See it</a></td></tr>"
    page = f"<html><head><style>td{{color:#333}}</style></head><body><table>{row * 6}</table></body></html>"
    return Case(msgspec.structs.replace(case.message, content=msgspec.structs.replace(content, html=page)), case.facts)
