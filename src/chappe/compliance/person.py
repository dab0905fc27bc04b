"""What is known of a recipient beyond the address: age, relationship, wishes. All of it may be unknown."""

from __future__ import annotations

import datetime

import msgspec


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The facts that rules ask about a person; None means that it is not known.

    `customer_since_ms`, `last_purchase_ms` and `last_inquiry_ms` tell of the relationship with the sender.
    `is_business` says that the address is a company's, not a private person's. With `restricted`, the person has
    asked that the data be kept but not used.
    """

    birth_date: datetime.date | None = None
    parental_consent: bool | None = None
    language: str | None = None
    is_business: bool | None = None
    customer_since_ms: int | None = None
    last_purchase_ms: int | None = None
    last_inquiry_ms: int | None = None
    restricted: bool = False
