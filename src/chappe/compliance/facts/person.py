"""What is known of a recipient beyond the address: age, relationship, wishes. All of it may be unknown."""

from __future__ import annotations

import datetime
from enum import StrEnum

import msgspec

from chappe.model.customer import Channel, CustomerMessage, Purpose

_FURTHEST_BEHIND_UTC_MS = 12 * 3_600_000
_DAY_MS = 86_400_000
_EPOCH = datetime.date(1970, 1, 1)


class AddressSource(StrEnum):
    """How the sender came by the address."""

    SALE = "sale"
    NEGOTIATION = "negotiation"
    """Talks about a sale, or an inquiry, that the person began."""
    DONATION = "donation"
    """Support for a charity, or interest in its work."""
    ACCOUNT = "account"
    """The person signed up, without buying anything."""
    HANDED_OVER = "handed_over"
    """The person gave it otherwise: on a card, in a transaction, to get an answer."""
    PUBLISHED = "published"
    """It is published for business messages, without a word against advertising."""
    THIRD_PARTY = "third_party"
    """Bought, rented, found, or handed on by others."""

    @property
    def from_person(self) -> bool:
        """Whether the person gave it to the sender."""
        return self not in (AddressSource.PUBLISHED, AddressSource.THIRD_PARTY)


class Preference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A wish of the person: whether messages of a kind are welcome. None means every channel, purpose or category."""

    allowed: bool
    channel: Channel | None = None
    purpose: Purpose | None = None
    category: str | None = None

    def is_about(self, message: CustomerMessage) -> bool:
        """Whether the message is of that kind."""
        return (
            self.channel in (None, message.channel)
            and self.purpose in (None, message.purpose)
            and self.category in (None, message.category)
        )

    @property
    def closeness(self) -> int:
        """How closely a message is described: a category says more than a purpose, and that more than a channel."""
        return 4 * (self.category is not None) + 2 * (self.purpose is not None) + (self.channel is not None)


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The facts that rules ask about a person; None means that it is not known.

    `customer_since_ms`, `last_purchase_ms` and `last_inquiry_ms` tell of the relationship with the sender, and
    `has_contract` that one is running. `address_source` is how the sender came by the address;
    `could_refuse_at_collection` says that advertising could be refused then. `similar_products` says that what this
    sender advertises is its own and like what the person bought; a message of the category `similar_products` says so
    of itself. `is_business` says that the address is a company's, not a private person's. `asked_for_consent_at_ms` are
    the moments of earlier requests for consent, `preferences` what the person chose to get. With `restricted`,
    the person has asked that the data be kept but not used.
    """

    birth_date: datetime.date | None = None
    parental_consent: bool | None = None
    language: str | None = None
    is_business: bool | None = None
    customer_since_ms: int | None = None
    last_purchase_ms: int | None = None
    last_inquiry_ms: int | None = None
    restricted: bool = False
    has_contract: bool | None = None
    address_source: AddressSource | None = None
    could_refuse_at_collection: bool | None = None
    similar_products: bool | None = None
    asked_for_consent_at_ms: tuple[int, ...] = ()
    preferences: tuple[Preference, ...] = ()


def age_years(person: Person, now_ms: int) -> int | None:
    """Complete years, on the day that it is where the day begins last; None if the birthday is not known."""
    born = person.birth_date
    if born is None:
        return None
    today = _EPOCH + datetime.timedelta(days=(now_ms - _FURTHEST_BEHIND_UTC_MS) // _DAY_MS)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
