"""The tables of people: profiles, the addresses that belong together, and the addresses of those who were erased.

people
    One row per person. `person` is the caller's own id, `profile` a JSON object (profiles.py). Small enough to be
    written anew with each change.
addresses
    One row per address (`kind:address`) that belongs to a person or may not be used. `person` is the key of the person,
    null for an address of which nothing but its restriction is stored.
erased_addresses
    What is left of an address after an erasure: a keyed digest, by which it stays suppressed. The key is not in the
    database.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, UniqueConstraint

from chappe.records.tables import big_key, metadata

people = Table(
    "people",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("person", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    UniqueConstraint("person", name="people_once"),
)

addresses = Table(
    "addresses",
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("person", BigInteger, nullable=True),
    Column("restricted_at_ms", BigInteger, nullable=True),
)
Index("addresses_by_person", addresses.c.person)

erased_addresses = Table(
    "erased_addresses",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("id", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    UniqueConstraint("id", name="erased_addresses_by_id"),
)
