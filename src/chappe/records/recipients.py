"""How a recipient is written in the records: `kind:address`, and 64 bits of that for indexes."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from chappe.model.customer import Recipient

KINDS = ("email", "phone", "url", "user")


def recipient_text(to: Recipient) -> str:
    """The stored form of a recipient, for example `email:ann@example.com`.

    Mail addresses in lower case, because no mail system in use tells mailboxes apart by case: who unsubscribed as
    Ann@example.com must not get mail at ann@example.com.
    """
    if to.email is not None:
        return "email:" + to.email.lower()
    if to.phone is not None:
        return "phone:" + to.phone
    if to.url is not None:
        return "url:" + to.url
    return f"user:{to.user}"


@lru_cache(maxsize=16_384)
def parse_recipient(text: str) -> Recipient:
    """The recipient of a stored form."""
    kind, _, address = text.partition(":")
    return Recipient(**{kind: address})


@lru_cache(maxsize=16_384)
def recipient_hash(text: str) -> int:
    """64 bits of a stored form, signed, the same in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
