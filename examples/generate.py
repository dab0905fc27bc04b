"""Write the example files: messages, and the consents and suppressions that belong to them.

Run `python examples/generate.py`. The output depends on nothing but this file, so it can be compared.

All names are made up. The telephone numbers come from ranges that the authorities of their countries keep free for
fiction where there are any; the mail domains are `example` under the country codes, so that the recipients' countries
can be told. Do not send these files through a real mail server: the demonstration has one of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WEBHOOKS = "http://localhost:9326"
"""Where the demonstration's webhook receiver listens."""

Entry = dict[str, Any]

# At any hour it is night in some of these countries.
PEOPLE = [
    ("Aroha Ngata", "aroha", "example.co.nz"),
    ("Kirra Walsh", "kirra", "example.com.au"),
    ("Haruto Sato", "haruto", "example.jp"),
    ("Ji-woo Park", "jiwoo", "example.kr"),
    ("Linh Tran", "linh", "example.vn"),
    ("Ananya Iyer", "ananya", "example.in"),
    ("Omar Haddad", "omar", "example.ae"),
    ("Thandi Dlamini", "thandi", "example.co.za"),
    ("Chinwe Okafor", "chinwe", "example.ng"),
    ("Klara Vogel", "klara", "example.de"),
    ("Jules Moreau", "jules", "example.fr"),
    ("Lucía Romero", "lucia", "example.es"),
    ("Ada Byron", "ada", "example.co.uk"),
    ("Ursina Caduff", "ursina", "example.ch"),
    ("João Barros", "joao", "example.com.br"),
    ("Maple Tremblay", "maple", "example.ca"),
    ("Jack Rivers", "jack", "example.us"),
    ("Sam Doe", "sam", "example.com"),
]

PHONES = [
    ("GB", "+447700900123"),
    ("US", "+12025550143"),
    ("AU", "+61491570156"),
    ("FR", "+33639980012"),
    ("DE", "+4917604069012"),
    ("SE", "+46701740605"),
]

GREETINGS = {
    "de": "Guten Tag",
    "fr": "Bonjour",
    "es": "Hola",
    "jp": "こんにちは",
    "kr": "안녕하세요",
    "br": "Olá",
    "ch": "Allegra",
    "nz": "Kia ora",
    "vn": "Xin chào",
}


def messages() -> Iterator[str]:
    """The lines of messages.jsonl, malformed ones among them."""
    entries: list[str] = [json.dumps(entry, ensure_ascii=False) for entry in well_formed()]
    for position, line in MALFORMED.items():
        entries.insert(position, line)
    yield from entries


def well_formed() -> Iterator[Entry]:
    for week in range(1, 5):
        for number, (name, user, domain) in enumerate(PEOPLE):
            to = {"email": f"{user}@{domain}"}
            yield receipt(to, name, domain, order=1000 * week + number)
            if week <= 3 or number >= 3:
                yield code(to, name, domain, digits=f"{(week * 381_654 + number * 72_901) % 1_000_000:06}")
            if week in (1, 3):
                yield newsletter(to, name, domain, week)
        yield from text_messages(week)
        yield from webhooks(week)
    yield from troubles()


def code(to: Entry, name: str, domain: str, digits: str) -> Entry:
    return {
        "to": to,
        "purpose": "transactional",
        "content": {
            "subject": f"{digits} is your code",
            "text": f"{greeting(domain)} {name},\n\nyour code is {digits}. It is good for ten minutes.\n",
        },
        "metadata": {"kind": "code"},
    }


def receipt(to: Entry, name: str, domain: str, order: int) -> Entry:
    return {
        "to": to,
        "from": "Acme Orders <orders@acme.example>",
        "purpose": "transactional",
        "content": {
            "subject": f"Receipt for order {order}",
            "text": f"{greeting(domain)} {name},\n\nthank you for order {order}.\n",
            "html": f"<p>{greeting(domain)} {name},</p><p>thank you for order <b>{order}</b>.</p>",
        },
        "metadata": {"kind": "receipt", "order": str(order)},
    }


def newsletter(to: Entry, name: str, domain: str, week: int) -> Entry:
    return {
        "to": to,
        "from": "Acme News <news@acme.example>",
        "purpose": "promotional",
        "content": {
            "subject": f"What is new at Acme, week {week}",
            "text": f"{greeting(domain)} {name},\n\nthree telescopes are on offer this week.\n",
            "html": f"<h1>Week {week}</h1><p>{greeting(domain)} {name}, three telescopes are on offer.</p>",
        },
        "metadata": {"kind": "newsletter", "campaign": f"week-{week}"},
    }


def text_messages(week: int) -> Iterator[Entry]:
    for number, (_, phone) in enumerate(PHONES):
        transactional = (week + number) % 2 == 0
        yield {
            "to": {"phone": phone},
            "purpose": "transactional" if transactional else "promotional",
            "content": {
                "text": f"Your parcel {week}{number}7 arrives today."
                if transactional
                else "A free eyepiece with every telescope this week. Reply STOP to end."
            },
            "metadata": {"kind": "parcel" if transactional else "offer"},
        }


def webhooks(week: int) -> Iterator[Entry]:
    for number in range(6):
        yield {
            "to": {"url": f"{WEBHOOKS}/shops/{number}/orders"},
            "purpose": "transactional",
            "content": {"data": {"event": "order.paid", "order": 1000 * week + number, "total": "149.00 EUR"}},
        }


def troubles() -> Iterator[Entry]:
    """Recipients at whom the demonstration's receivers fail, and one who never agreed to anything."""
    for user in ("fail+once", "fail+permanent", "fail+once+2"):
        yield code({"email": f"{user}@example.com"}, "Sam", "example.com", digits="424242")
    yield {
        "to": {"url": f"{WEBHOOKS}/fail+once"},
        "purpose": "transactional",
        "content": {"data": {"event": "order.refunded", "order": 1001}},
    }
    yield {
        "to": {"url": f"{WEBHOOKS}/gone"},
        "purpose": "transactional",
        "content": {"data": {"event": "order.refunded", "order": 1002}},
    }
    yield {
        "to": {"email": "nobody-asked-me@example.de"},
        "purpose": "promotional",
        "content": {"subject": "You may like this", "text": "We never asked whether we may write to you.\n"},
    }


MALFORMED = {
    17: '{"to": {"email": "sam@example.com"}, "purpose": "transactional", "content": {"text": "cut off',
    40: '{"purpose": "transactional", "content": {"text": "to whom?"}}',
    63: '{"to": {"email": "not an address"}, "purpose": "transactional", "content": {"text": "Hi"}}',
    91: '{"to": {"email": "sam@example.com"}, "purpose": "nagging", "content": {"text": "Hi"}}',
    120: '{"to": {"phone": "12"}, "purpose": "transactional", "content": {"text": "Hi"}}',
    150: '{"to": {"email": "sam@example.com"}, "purpose": "transactional", "content": {}}',
    177: '["to", "sam@example.com"]',
    190: '{"to": {"email": "sam@example.com"}, "purpose": "transactional", "expires_at": "2020-01-01T00:00:00Z", '
    '"content": {"text": "Your table was ready."}}',
    201: '{"to": {"email": "sam@example.com"}, "purpos": "transactional", "content": {"text": "Hi"}}',
}
"""Lines that are refused, by their place in the file (counted from 0)."""


def consents() -> Iterator[Entry]:
    """Everybody agreed to the newsletter but Ursina and Sam; Jules withdrew."""
    for _, user, domain in PEOPLE:
        if user in ("ursina", "sam"):
            continue
        yield consent({"email": f"{user}@{domain}"}, "email", granted=True)
    yield consent({"email": "jules@example.fr"}, "email", granted=False)
    for _, phone in PHONES[:5]:
        yield consent({"phone": phone}, "sms", granted=True)


AGREEMENT = {
    "level": "written",
    "proof": "Form of 2 May 2026, box ticked by the customer: 'Yes, send me offers.'",
}


def consent(person: Entry, channel: str, *, granted: bool) -> Entry:
    return {
        "person": person,
        "channel": channel,
        "purpose": "promotional",
        "granted": granted,
        "source": "https://shop.acme.example/account",
        **(AGREEMENT if granted else {}),
    }


def suppressions() -> Iterator[Entry]:
    """Addresses nothing promotional (Kirra), or nothing at all (Omar), may be sent to."""
    yield {
        "to": {"email": "kirra@example.com.au"},
        "channel": "email",
        "purpose": "promotional",
        "reason": "unsubscribed",
    }
    yield {"to": {"email": "omar@example.ae"}, "channel": "email", "reason": "mailbox does not exist"}


def greeting(domain: str) -> str:
    return GREETINGS.get(domain.rpartition(".")[2], "Hello")


def files() -> dict[str, str]:
    """The content of each file by name."""

    def lines(entries: Iterator[Entry]) -> str:
        return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)

    return {
        "messages.jsonl": "".join(f"{line}\n" for line in messages()),
        "consents.jsonl": lines(consents()),
        "suppressions.jsonl": lines(suppressions()),
    }


if __name__ == "__main__":
    for name, content in files().items():
        (HERE / name).write_text(content, encoding="utf-8")
