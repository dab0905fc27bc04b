"""People as the caller knows them: profiles with their addresses, and which of them may not be used."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from chappe.model.customer import Channel, Purpose, Recipient
from chappe.model.errors import AddressTaken, PersonNotFound
from chappe.records.commit import GroupCommit
from chappe.records.news import News
from chappe.records.profile_tables import addresses, people
from chappe.records.reading import Readers, Reading
from chappe.records.recipients import parse_recipient, recipient_text
from chappe.records.statements import ManyRows, Row, one_column


class Preference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A wish: whether messages of a kind are welcome. None in a field means every channel, purpose or category."""

    allowed: bool
    channel: Channel | None = None
    purpose: Purpose | None = None
    category: str | None = None


class Profile(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the caller says of a person; None is not known.

    `country` is ISO 3166-1, `region` the part of an ISO 3166-2 code after the hyphen, `zone` an IANA time zone,
    `language` BCP 47. The facts from `birth_date` on are those of `compliance.facts.person.Person`.
    """

    country: str | None = None
    region: str | None = None
    postcode: str | None = None
    zone: str | None = None
    language: str | None = None
    birth_date: datetime.date | None = None
    parental_consent: bool | None = None
    is_business: bool | None = None
    customer_since_ms: int | None = None
    last_purchase_ms: int | None = None
    last_inquiry_ms: int | None = None
    relationship_ended_ms: int | None = None
    has_contract: bool | None = None
    address_source: str | None = None
    could_refuse_at_collection: bool | None = None
    similar_products: bool | None = None
    asked_for_consent_at_ms: tuple[int, ...] = ()
    preferences: tuple[Preference, ...] = ()


class PersonRecord(msgspec.Struct, frozen=True):
    """A person on record. `id` is the caller's. `restricted_at_ms` is since when the person's data may not be used."""

    key: int
    id: str
    addresses: tuple[Recipient, ...]
    profile: Profile
    created_at_ms: int
    updated_at_ms: int
    restricted_at_ms: int | None = None


class PersonLine(msgspec.Struct, frozen=True):
    """A person as a list names one: stored in place of what is there under the id."""

    id: str
    addresses: tuple[Recipient, ...]
    profile: Profile
    at_ms: int


class KnownPerson(msgspec.Struct, frozen=True):
    """What is stored of the owner of an address. `profile` is None where it is only known not to be used."""

    profile: Profile | None
    restricted: bool


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Profile)

_KNOWN = ManyRows(
    ["recipient"],
    lambda rows: (
        select(addresses.c.recipient, addresses.c.restricted_at_ms, people.c.profile)
        .select_from(addresses.outerjoin(people, people.c.id == addresses.c.person))
        .where(addresses.c.recipient.in_([row["recipient"] for row in rows]))
    ),
)


class ProfileRecords:
    """The people of a database. `anybody` says whether there may be any: without, nothing is looked up."""

    def __init__(self, commits: GroupCommit, readers: Readers, news: News, next_key: Callable[[], int]) -> None:
        self._commits = commits
        self._readers = readers
        self._news = news
        self._next_key = next_key
        self.anybody = True

    async def start(self) -> None:
        """See whether there is anybody."""
        query = select(addresses.c.recipient).limit(1)
        self.anybody = await self._readers.read(lambda c: c.execute(query).first() is not None)

    def known(self, connection: Connection, recipients: Sequence[Row]) -> dict[str, KnownPerson]:
        """The owners of these addresses, as far as anything is stored of them. Runs in a reader's thread."""
        if not self.anybody:
            return {}
        return {
            recipient: KnownPerson(None if profile is None else _decoder.decode(profile), restricted_at_ms is not None)
            for recipient, restricted_at_ms, profile in _KNOWN.read(connection, recipients)
        }

    async def known_of(self, recipients: Iterable[str]) -> dict[str, KnownPerson]:
        """The same, of addresses as `recipient_text` writes them."""
        rows = one_column(dict.fromkeys(recipients))
        return await self._readers.read(lambda connection: self.known(connection, rows), Reading.BROWSING)

    async def put(
        self, person: str, to: Sequence[Recipient], profile: Profile, now_ms: int
    ) -> tuple[PersonRecord, bool]:
        """Store a person in place of what was stored under the id; the record, and whether it is new.

        Raises `AddressTaken`.
        """
        return await self.change(person, lambda found: (to, profile), now_ms)

    async def change(
        self,
        person: str,
        changed: Callable[[PersonRecord | None], tuple[Sequence[Recipient], Profile]],
        now_ms: int,
    ) -> tuple[PersonRecord, bool]:
        """Store what `changed` makes of the record under an id, in one transaction; whatever that raises ends it.

        Raises `AddressTaken`.
        """
        self.anybody = True

        def operation(connection: Connection) -> tuple[PersonRecord, bool]:
            found = find_person(connection, person)
            to, profile = changed(found)
            written = write_person(connection, found, person, to, profile, now_ms, self._next_key)
            return written, found is None

        return await self._news.told(self._commits.run(operation), lambda result: result[0].addresses)

    def bring_in(self, connection: Connection, lines: Sequence[PersonLine]) -> int:
        """Store the people of a list; how many were new or changed. An address goes to whom the later line names."""
        changed = 0
        for line in lines:
            found = find_person(connection, line.id)
            if found is None or (found.profile, set(found.addresses)) != (line.profile, set(line.addresses)):
                write_person(
                    connection, found, line.id, line.addresses, line.profile, line.at_ms, self._next_key, may_take=True
                )
                changed += 1
        return changed

    async def get(self, person: str) -> PersonRecord:
        """Raises `PersonNotFound`."""
        found = await self.find(person)
        if found is None:
            raise no_such_person(person)
        return found

    async def find(self, person: str) -> PersonRecord | None:
        """The person of this id, if there is one."""
        return await self._readers.read(lambda connection: find_person(connection, person))

    async def owner(self, to: Recipient) -> PersonRecord | None:
        """The person to whom an address belongs."""
        return await self._readers.read(lambda connection: owner_of(connection, to))

    async def page(self, before_key: int | None, limit: int) -> list[PersonRecord]:
        """People, newest first."""
        query = select(people).order_by(people.c.id.desc()).limit(limit)
        if before_key is not None:
            query = query.where(people.c.id < before_key)
        return await self._readers.read(lambda connection: _people(connection, query), Reading.BROWSING)

    async def remove(self, person: str) -> None:
        """Forget a profile; restrictions of its addresses stay. Raises `PersonNotFound`."""

        def operation(connection: Connection) -> tuple[Recipient, ...]:
            found = find_person(connection, person)
            if found is None:
                raise no_such_person(person)
            remove_person(connection, found.key)
            return found.addresses

        await self._news.told(self._commits.run(operation), lambda result: result)

    async def restrict(self, to: Sequence[Recipient], at_ms: int) -> None:
        """Let nothing be done with these addresses; those restricted before stay so since then."""
        self.anybody = True
        await self._news.told(self._commits.run(lambda connection: restrict(connection, to, at_ms)), lambda _: to)

    async def is_restricted(self, to: Sequence[Recipient]) -> bool:
        """Whether one of these addresses may not be used."""
        query = select(addresses.c.recipient).where(
            addresses.c.recipient.in_(map(recipient_text, to)), addresses.c.restricted_at_ms.is_not(None)
        )
        return await self._readers.read(lambda c: c.execute(query).first() is not None)

    async def lift_restriction(self, to: Sequence[Recipient]) -> None:
        """Let these addresses be used again."""
        await self._news.told(self._commits.run(lambda connection: lift_restriction(connection, to)), lambda _: to)


def find_person(connection: Connection, person: str) -> PersonRecord | None:
    """The person of this id."""
    found = _people(connection, select(people).where(people.c.person == person))
    return found[0] if found else None


def owner_of(connection: Connection, to: Recipient) -> PersonRecord | None:
    """The person to whom an address belongs."""
    query = select(people).join_from(people, addresses, addresses.c.person == people.c.id)
    found = _people(connection, query.where(addresses.c.recipient == recipient_text(to)))
    return found[0] if found else None


def no_such_person(person: str) -> PersonNotFound:
    """The error that says so."""
    return PersonNotFound(f"There is no person {person!r}.", id=person)


def write_person(
    connection: Connection,
    found: PersonRecord | None,
    person: str,
    to: Sequence[Recipient],
    profile: Profile,
    now_ms: int,
    next_key: Callable[[], int],
    *,
    may_take: bool = False,
) -> PersonRecord:
    """Write a person. With `may_take`, addresses of others become this one's; else that is `AddressTaken`."""
    key = next_key() if found is None else found.key
    created_at_ms = now_ms if found is None else found.created_at_ms
    values = {"profile": _encoder.encode(profile).decode(), "updated_at_ms": now_ms}
    if found is None:
        connection.execute(insert(people).values(id=key, person=person, created_at_ms=created_at_ms, **values))
    else:
        connection.execute(update(people).where(people.c.id == key).values(values))
    restricted_at_ms = _assign(connection, key, tuple(dict.fromkeys(map(recipient_text, to))), may_take=may_take)
    if found is not None and found.restricted_at_ms is not None:
        # It was the person who asked for it, so it covers what they are reached by now.
        restrict(connection, to, found.restricted_at_ms)
        restricted_at_ms = min(found.restricted_at_ms, restricted_at_ms or found.restricted_at_ms)
    unique = tuple({recipient_text(entry): entry for entry in to}.values())
    return PersonRecord(key, person, unique, profile, created_at_ms, now_ms, restricted_at_ms)


def remove_person(connection: Connection, key: int) -> None:
    """Remove a profile and its addresses, but not what is restricted."""
    connection.execute(delete(people).where(people.c.id == key))
    _let_go(connection, addresses.c.person == key)


def restrict(connection: Connection, to: Sequence[Recipient], at_ms: int) -> None:
    """Mark addresses as restricted."""
    for text in map(recipient_text, to):
        same = addresses.c.recipient == text
        kept = func.coalesce(addresses.c.restricted_at_ms, at_ms)
        if connection.execute(update(addresses).where(same).values(restricted_at_ms=kept)).rowcount == 0:
            connection.execute(insert(addresses).values(recipient=text, person=None, restricted_at_ms=at_ms))


def lift_restriction(connection: Connection, to: Sequence[Recipient]) -> None:
    """Take the mark off again."""
    for text in map(recipient_text, to):
        same = addresses.c.recipient == text
        connection.execute(update(addresses).where(same).values(restricted_at_ms=None))
        connection.execute(delete(addresses).where(same, addresses.c.person.is_(None)))


def _assign(connection: Connection, key: int, wanted: Sequence[str], *, may_take: bool) -> int | None:
    """Let a person have these addresses and no others; since when they are restricted, if they are."""
    _let_go(connection, (addresses.c.person == key) & addresses.c.recipient.not_in(wanted))
    stored = {
        row.recipient: row for row in connection.execute(select(addresses).where(addresses.c.recipient.in_(wanted)))
    }
    for text in wanted:
        row = stored.get(text)
        if row is None:
            connection.execute(insert(addresses).values(recipient=text, person=key, restricted_at_ms=None))
        elif row.person is None or (row.person != key and may_take):
            connection.execute(update(addresses).where(addresses.c.recipient == text).values(person=key))
        elif row.person != key:
            kind = text.partition(":")[0]
            raise AddressTaken(f"this {kind} belongs to another person; take it from there first", kind=kind)
    return min((row.restricted_at_ms for row in stored.values() if row.restricted_at_ms is not None), default=None)


def _let_go(connection: Connection, which: Any) -> None:
    connection.execute(delete(addresses).where(which, addresses.c.restricted_at_ms.is_(None)))
    connection.execute(update(addresses).where(which).values(person=None))


def _people(connection: Connection, query: Select[Any]) -> list[PersonRecord]:
    rows = connection.execute(query).all()
    held: dict[int, list[Any]] = {row.id: [] for row in rows}
    for entry in connection.execute(
        select(addresses).where(addresses.c.person.in_(held)).order_by(addresses.c.recipient)
    ):
        held[entry.person].append(entry)
    return [
        PersonRecord(
            key=row.id,
            id=row.person,
            addresses=tuple(parse_recipient(entry.recipient) for entry in held[row.id]),
            profile=_decoder.decode(row.profile),
            created_at_ms=row.created_at_ms,
            updated_at_ms=row.updated_at_ms,
            restricted_at_ms=min(
                (entry.restricted_at_ms for entry in held[row.id] if entry.restricted_at_ms is not None), default=None
            ),
        )
        for row in rows
    ]
