"""Grounds on which a message may go without a consent on record: the customer exception and its kin."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chappe.compliance.calendar.periods import Period, end_of, in_words
from chappe.compliance.consent.grants import day_of
from chappe.compliance.content.way_out import way_out
from chappe.compliance.facts.person import AddressSource, Person
from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import Amendment, CustomerMessage

SIMILAR_PRODUCTS = "similar_products"
"""The category of a message that advertises what its sender sells and what is like the recipient's purchase."""
NON_COMMERCIAL = "non_commercial"
RUNNING_CONTRACT = "running_contract"
"""The category of an offer that belongs to a contract which is running."""


class Condition(StrEnum):
    """A condition of the customer exception."""

    ADDRESS_FROM_SALE = "address_from_sale"
    SALE_OR_NEGOTIATION = "sale_or_negotiation"
    SUPPORTER = "supporter"
    """The address came with a donation, or with interest in the charity's work."""
    OWN_SIMILAR_PRODUCTS = "own_similar_products"
    OPT_OUT_AT_COLLECTION = "opt_out_at_collection"
    OPT_OUT_IN_EACH_MESSAGE = "opt_out_in_each_message"
    NO_OBJECTION = "no_objection"
    """Holds of every ground, whether it is written or not."""


class SoftOptIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The customer exception: all its `conditions` hold.

    The last purchase (or, if that will do, the last inquiry) was `within` such a time. The exception is open to senders
    of a trade (`entity`, one of the profile's `sectors`), to messages of one category (`sole_purpose`), and on these
    `channels`, if any are named.
    """

    conditions: tuple[Condition, ...]
    within: Period | None = None
    channels: tuple[str, ...] = ()
    entity: str | None = None
    sole_purpose: str | None = None

    @property
    def of_strangers_reads_content(self) -> bool:
        """Whether it takes the content of a message to say that the exception does not hold of somebody unknown."""
        for condition in self.conditions:
            if condition is Condition.OPT_OUT_IN_EACH_MESSAGE:
                return True
            if condition in _OF_PERSONS:
                return False
        return False


class Exemption(StrEnum):
    """A reason for which no consent is asked."""

    GAVE_OWN_ADDRESS = "gave_own_address"
    """The person handed the address to the sender."""
    PUBLISHED_ADDRESS = "published_address"
    BUSINESS_RELATIONSHIP = "business_relationship"
    """The person is a customer, or has a contract."""
    NON_COMMERCIAL = "non_commercial"
    """The message is of that category."""
    RUNNING_CONTRACT = "running_contract"
    """The message is of that category, and the person has a contract."""


class Relationship(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A customer relation: a running contract, or a purchase `within` such a time; on these `channels`, if any."""

    within: Period
    channels: tuple[str, ...] = ()


class Ground(msgspec.Struct, frozen=True):
    """That a ground holds, and what has to be added to the message for it to hold; or, in `lacks`, why it does not."""

    reason: str = ""
    amendments: tuple[Amendment, ...] = ()
    lacks: str = ""


def soft_opt_in(offer: SoftOptIn, message: CustomerMessage, facts: Facts, now_ms: int) -> Ground:
    """Whether the customer exception holds of a person who has not objected."""
    person = facts.person
    if offer.channels and message.channel not in offer.channels:
        return Ground(lacks=f"the customer exception is not open to {message.channel.value}")
    if offer.entity and offer.entity not in facts.sender.sectors:
        return Ground(lacks=f"the sender's profile does not name {offer.entity} among its sectors")
    if offer.sole_purpose and message.category != offer.sole_purpose:
        return Ground(lacks=f"the message is not of the category {offer.sole_purpose}")
    amendments: tuple[Amendment, ...] = ()
    for condition in offer.conditions:
        if condition is Condition.OPT_OUT_IN_EACH_MESSAGE:
            out = way_out(message, facts)
            lacks, amendments = out.lacks, out.amendments
        else:
            lacks = _lacks(condition, message, person)
        if lacks:
            return Ground(lacks=lacks)
    if offer.within is not None and not _within(offer.within, _dealings_ms(offer, person), now_ms):
        return Ground(lacks=f"no dealings with the customer are on record for the last {in_words(offer.within)}")
    return Ground(f"the customer exception holds: {_of_relation(person)}", amendments)


def related(relation: Relationship, message: CustomerMessage, person: Person, now_ms: int) -> Ground:
    """Whether the person is, or lately was, a customer."""
    if relation.channels and message.channel not in relation.channels:
        return Ground(lacks=f"being a customer is no ground for {message.channel.value}")
    if person.has_contract:
        return Ground("the person is a customer under a running contract")
    if _within(relation.within, person.last_purchase_ms, now_ms):
        return Ground(f"the person is a customer: {_of_relation(person)}")
    return Ground(lacks=f"no purchase is on record for the last {in_words(relation.within)}")


def exempt(exemption: Exemption, message: CustomerMessage, person: Person) -> str:
    """Why no consent is asked, or an empty text."""
    source = person.address_source
    if exemption is Exemption.GAVE_OWN_ADDRESS and source is not None and source.from_person:
        return "the person handed the address over"
    if exemption is Exemption.PUBLISHED_ADDRESS and source is AddressSource.PUBLISHED:
        return "the address is published for such messages"
    if exemption is Exemption.BUSINESS_RELATIONSHIP and _is_customer(person):
        return "there is a business relationship with the person"
    if exemption is Exemption.NON_COMMERCIAL and message.category == NON_COMMERCIAL:
        return "the message is not commercial"
    if exemption is Exemption.RUNNING_CONTRACT and message.category == RUNNING_CONTRACT and person.has_contract:
        return "the offer belongs to a contract that is running"
    return ""


def is_similar(message: CustomerMessage, person: Person) -> bool:
    """Whether the sender says that it advertises products of its own like those the person bought."""
    return message.category == SIMILAR_PRODUCTS or bool(person.similar_products)


_SOURCES = {
    Condition.ADDRESS_FROM_SALE: (AddressSource.SALE,),
    Condition.SALE_OR_NEGOTIATION: (AddressSource.SALE, AddressSource.NEGOTIATION),
    Condition.SUPPORTER: (AddressSource.DONATION,),
}
_OF_PERSONS = frozenset({*_SOURCES, Condition.OPT_OUT_AT_COLLECTION})
"""What never holds of a person of whom nothing is known."""


def _lacks(condition: Condition, message: CustomerMessage, person: Person) -> str:
    sources = _SOURCES.get(condition)
    if sources is not None and person.address_source not in sources:
        return f"it is not known that the address came with a {' or '.join(source.value for source in sources)}"
    if condition is Condition.OWN_SIMILAR_PRODUCTS and not is_similar(message, person):
        return "it is not stated that the message is about own products like those the person bought"
    if condition is Condition.OPT_OUT_AT_COLLECTION and not person.could_refuse_at_collection:
        return "it is not known that the person could refuse when the address was collected"
    return ""


def _dealings_ms(offer: SoftOptIn, person: Person) -> int | None:
    moments = [person.last_purchase_ms]
    if Condition.ADDRESS_FROM_SALE not in offer.conditions:
        moments.append(person.last_inquiry_ms)
    return max((moment for moment in moments if moment is not None), default=None)


def _within(period: Period, at_ms: int | None, now_ms: int) -> bool:
    return at_ms is not None and at_ms <= now_ms < end_of(at_ms, period)


def _is_customer(person: Person) -> bool:
    return bool(person.has_contract) or person.customer_since_ms is not None or person.last_purchase_ms is not None


def _of_relation(person: Person) -> str:
    if person.last_purchase_ms is not None:
        return f"the last purchase was on {day_of(person.last_purchase_ms)}"
    if person.address_source is not None:
        return f"the address came with a {person.address_source.value.replace('_', ' ')}"
    return "the person is a customer"
