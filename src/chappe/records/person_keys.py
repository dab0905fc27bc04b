"""The keys that personal parts of audit records are encrypted with, one per recipient, as they are stored: wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from chappe.records.audit_tables import person_keys
from chappe.records.commit import Bulk
from chappe.records.recipients import recipient_hash
from chappe.records.statements import Binds, ManyRows, Row, one_column


class PersonKey(msgspec.Struct, eq=False):
    """The key of one recipient. `person` names it; `secret` is the key itself (AES-256), `wrapped` its stored form.

    `stored` is set once it is known to be committed. Until then everything that uses it brings it along.
    """

    person: int
    recipient: str
    wrapped: bytes
    secret: bytes
    stored: bool = False

    def __repr__(self) -> str:
        return f"PersonKey(person={self.person})"

    def row(self) -> Row:
        """The row of the statement that stores it."""
        return (self.person, self.recipient, recipient_hash(self.recipient), self.wrapped)


class StoredKey(msgspec.Struct, frozen=True):
    """A key as it was found."""

    person: int
    recipient: str
    wrapped: bytes


def _insert_new(rows: list[Binds]) -> Any:
    # "Unless it is there" is written differently by each dialect; the other prefix comes with PostgreSQL.
    return insert(person_keys).prefix_with("OR IGNORE", dialect="sqlite").values(rows)


def _once(rows: list[Row]) -> list[Row]:
    return list({row[0]: row for row in rows}.values())


ADD_PERSON_KEYS = Bulk(3, ManyRows([column.name for column in person_keys.columns], _insert_new), _once)
_BY_RECIPIENT = ManyRows(
    ["recipient_hash"],
    lambda rows: select(person_keys.c.person, person_keys.c.recipient, person_keys.c.wrapped).where(
        person_keys.c.recipient_hash.in_([row["recipient_hash"] for row in rows])
    ),
)
_BY_PERSON = ManyRows(
    ["person"],
    lambda rows: select(person_keys.c.person, person_keys.c.recipient, person_keys.c.wrapped).where(
        person_keys.c.person.in_([row["person"] for row in rows])
    ),
)


def keys_of_recipients(connection: Connection, recipients: Sequence[str]) -> list[StoredKey | None]:
    """The newest key of each recipient, in order; None for one who has none."""
    if not recipients:
        return []
    hashes = one_column(dict.fromkeys(map(recipient_hash, recipients)))
    rows = sorted((tuple(row) for row in _BY_RECIPIENT.read(connection, hashes)), key=lambda row: row[0])
    found = {row[1]: StoredKey(*row) for row in rows}
    return [found.get(recipient) for recipient in recipients]


def keys_of_persons(connection: Connection, persons: Sequence[int]) -> dict[int, StoredKey]:
    """The keys that are there still."""
    rows = _BY_PERSON.read(connection, one_column(dict.fromkeys(persons))) if persons else []
    return {row[0]: StoredKey(*row) for row in rows}


def persons_of(connection: Connection, recipient: str) -> list[int]:
    """Every name under which the audit log knows a recipient."""
    query = select(person_keys.c.person).where(
        person_keys.c.recipient_hash == recipient_hash(recipient), person_keys.c.recipient == recipient
    )
    return list(connection.execute(query).scalars())


def delete_keys(connection: Connection, persons: Sequence[int]) -> None:
    """Make everything that was encrypted with these keys unreadable."""
    connection.execute(delete(person_keys).where(person_keys.c.person.in_(persons)))
