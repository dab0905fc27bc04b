"""The documents about people: what callers say of them, and what is shown."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta

from chappe.api.rest.places import check_place
from chappe.api.rest.presenting import as_stored, moment, moment_or_none
from chappe.compliance.facts.person import AddressSource
from chappe.compliance.places.jurisdictions import place_of
from chappe.model.customer import Channel, Purpose, Recipient
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.normalise import moment_ms, normalise_recipient
from chappe.pipeline.acceptance.request import Moment
from chappe.records.profiles import PersonRecord, Preference, Profile

ADDRESSES_MAX = 20
PREFERENCES_MAX = 200
PERSON_ID = r"^[A-Za-z0-9._~-]{1,128}$"
_Category = Annotated[str, Meta(pattern="^[a-z0-9]+(_[a-z0-9]+)*$", max_length=60)]


class PreferenceDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person chose: whether messages of a kind are welcome. The closest wish to a message counts."""

    allowed: Annotated[bool, Meta(description="Whether they are welcome.")]
    channel: Annotated[Channel | None, Meta(description="On this channel; without it on every one.")] = None
    purpose: Annotated[Purpose | None, Meta(description="Of this purpose; without it of every one.")] = None
    category: Annotated[_Category | None, Meta(description="Of this category; without it of every one.")] = None


class PersonFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What may be said of a person. What is left out is not known."""

    country: Annotated[
        Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None,
        Meta(description="Where the person lives (ISO 3166-1), such as `US`. It counts more than the address."),
    ] = None
    region: Annotated[
        Annotated[str, Meta(pattern="^[A-Z0-9]{1,3}$")] | None,
        Meta(description="The part of the country (ISO 3166-2 without the country), such as `FL`. Needs `country`."),
    ] = None
    postcode: Annotated[
        Annotated[str, Meta(min_length=1, max_length=16)] | None,
        Meta(description="From it follow the region and the time zone where they are not given."),
    ] = None
    time_zone: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(description="IANA name, such as `America/New_York`."),
    ] = None
    language: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None,
        Meta(description="The language the person reads (BCP 47)."),
    ] = None
    birth_date: Annotated[datetime.date | None, Meta(description="Day of birth.")] = None
    parental_consent: Annotated[bool | None, Meta(description="Whether a parent has agreed, for a minor.")] = None
    business: Annotated[bool | None, Meta(description="Whether the addresses are a company's.")] = None
    customer_since: Annotated[Moment | None, Meta(description="Since when the person is a customer.")] = None
    last_purchase: Annotated[Moment | None, Meta(description="When the person last bought something.")] = None
    last_inquiry: Annotated[Moment | None, Meta(description="When the person last asked about an offer.")] = None
    relationship_ended: Annotated[
        Moment | None, Meta(description="When the relationship ended; periods of retention are counted from it.")
    ] = None
    has_contract: Annotated[bool | None, Meta(description="Whether a contract is running.")] = None
    address_source: Annotated[AddressSource | None, Meta(description="How you came by the addresses.")] = None
    could_refuse_at_collection: Annotated[
        bool | None, Meta(description="Whether advertising could be refused when the address was given.")
    ] = None
    similar_products: Annotated[
        bool | None, Meta(description="Whether you advertise only what is like what the person bought.")
    ] = None
    asked_for_consent: Annotated[
        Annotated[tuple[Moment, ...], Meta(max_length=100)],
        Meta(description="When the person was asked for consent before."),
    ] = ()
    preferences: Annotated[
        Annotated[tuple[PreferenceDocument, ...], Meta(max_length=PREFERENCES_MAX)],
        Meta(description="What the person chose to get, by channel, purpose and category."),
    ] = ()


_Addresses = Annotated[tuple[Recipient, ...], Meta(min_length=1, max_length=ADDRESSES_MAX)]
_ADDRESSES = "Everything under which the person is reached. An address belongs to one person."


class PersonRequest(PersonFields, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A person, in place of what was stored under the id."""

    addresses: Annotated[_Addresses, Meta(description=_ADDRESSES)]


class PersonPatch(PersonFields, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Changes to a person, as RFC 7396 says: null takes a field away, a list takes the place of the one before."""

    addresses: Annotated[_Addresses | None, Meta(description=_ADDRESSES)] = None


class PersonView(PersonFields, frozen=True, kw_only=True, omit_defaults=True):
    """A person as stored. While `restricted_since` is set, nothing is sent to the person."""

    id: str
    addresses: tuple[Recipient, ...]
    created_at: datetime.datetime
    updated_at: datetime.datetime
    restricted_since: datetime.datetime | None = None


class PeopleView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, newest first. Without `next_cursor` it is the last."""

    people: list[PersonView]
    next_cursor: str | None = None


def told_of(request: PersonRequest) -> tuple[tuple[Recipient, ...], Profile]:
    """The addresses and the profile that a request stands for. Raises `InvalidInput`."""
    if request.region is not None and request.country is None:
        raise InvalidInput("region needs country", pointer="/region")
    if request.country is not None:
        check_place(request.country, pointer="/country")
        check_place(place_of(request.country, request.region), pointer="/region")
    if request.time_zone is not None and request.time_zone not in _zone_names():
        raise InvalidInput("time_zone is not the name of a time zone, such as Europe/Berlin", pointer="/time_zone")
    if request.birth_date is not None and request.birth_date.year < 1850:
        raise InvalidInput("birth_date lies too far back", pointer="/birth_date")
    to = tuple(
        normalise_recipient(entry, pointer=f"/addresses/{number}")[1] for number, entry in enumerate(request.addresses)
    )
    return to, Profile(
        country=request.country,
        region=request.region,
        postcode=request.postcode,
        zone=request.time_zone,
        language=request.language,
        birth_date=request.birth_date,
        parental_consent=request.parental_consent,
        is_business=request.business,
        customer_since_ms=moment_ms(request.customer_since),
        last_purchase_ms=moment_ms(request.last_purchase),
        last_inquiry_ms=moment_ms(request.last_inquiry),
        relationship_ended_ms=moment_ms(request.relationship_ended),
        has_contract=request.has_contract,
        address_source=None if request.address_source is None else request.address_source.value,
        could_refuse_at_collection=request.could_refuse_at_collection,
        similar_products=request.similar_products,
        asked_for_consent_at_ms=tuple(int(asked.timestamp() * 1000) for asked in request.asked_for_consent),
        preferences=tuple(Preference(**msgspec.structs.asdict(wish)) for wish in request.preferences),
    )


def person_view(record: PersonRecord) -> PersonView:
    """A person as shown."""
    told = record.profile
    return PersonView(
        id=record.id,
        addresses=tuple(map(as_stored, record.addresses)),
        created_at=moment(record.created_at_ms),
        updated_at=moment(record.updated_at_ms),
        restricted_since=moment_or_none(record.restricted_at_ms),
        country=told.country,
        region=told.region,
        postcode=told.postcode,
        time_zone=told.zone,
        language=told.language,
        birth_date=told.birth_date,
        parental_consent=told.parental_consent,
        business=told.is_business,
        customer_since=moment_or_none(told.customer_since_ms),
        last_purchase=moment_or_none(told.last_purchase_ms),
        last_inquiry=moment_or_none(told.last_inquiry_ms),
        relationship_ended=moment_or_none(told.relationship_ended_ms),
        has_contract=told.has_contract,
        address_source=None if told.address_source is None else AddressSource(told.address_source),
        could_refuse_at_collection=told.could_refuse_at_collection,
        similar_products=told.similar_products,
        asked_for_consent=tuple(map(moment, told.asked_for_consent_at_ms)),
        preferences=tuple(PreferenceDocument(**msgspec.structs.asdict(wish)) for wish in told.preferences),
    )


def merged(record: PersonRecord, patch: dict[str, Any]) -> dict[str, Any]:
    """The document of a person with the changes of a merge patch."""
    whole: dict[str, Any] = msgspec.to_builtins(person_view(record))
    known = {field.name for field in msgspec.structs.fields(PersonRequest)}
    document = {name: value for name, value in whole.items() if name in known} | patch
    return {name: value for name, value in document.items() if value is not None}


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())
