"""The tables of the audit log. What a record holds is the audit log's matter; here it is bytes.

audit_pages
    The newest records: one row per commit, however many records it holds (audit_pages.py says why and how). Older
    ones move into files, named by `audit_segments`. The newest page always stays: it holds the end of the chain.
audit_segments
    One row per file of older records, each a stretch of the chain without a gap. `file` is relative to the folder of
    the audit log. `generation` counts how often the file was written anew; `dropped` is how many of its records have
    been dropped since, of which only the hashes are left.
audit_checkpoints
    Signed heads of the hash tree, and what the next one is computed from.
audit_tiles
    Inner nodes of the hash tree, 256 to a row, for proofs.
person_keys
    What the personal parts of audit records are encrypted with, one key per recipient, itself encrypted with a key that
    is not in the database. To erase a person is to delete these rows. `person` stands in the audit log in place of the
    recipient, and nothing leads back from it once the row is gone.
legal_holds
    Jurisdictions whose audit records must be kept for now, whatever their retention.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from chappe.records.tables import big_key, metadata

audit_pages = Table(
    "audit_pages",
    metadata,
    Column("first", big_key, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("recorded_at_ms", BigInteger, nullable=False),
    Column("oldest_message", BigInteger, nullable=False),
    Column("newest_message", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("open_parts", LargeBinary, nullable=False),
    Column("personal_parts", LargeBinary, nullable=False),
)

audit_segments = Table(
    "audit_segments",
    metadata,
    Column("first", big_key, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("day", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("oldest_message", BigInteger, nullable=False),
    Column("newest_message", BigInteger, nullable=False),
    Column("oldest_ms", BigInteger, nullable=False),
    Column("newest_ms", BigInteger, nullable=False),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", big_key, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

audit_tiles = Table(
    "audit_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

person_keys = Table(
    "person_keys",
    metadata,
    Column("person", big_key, primary_key=True, autoincrement=False),
    Column("recipient", Text, nullable=False),
    Column("recipient_hash", BigInteger, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
Index("person_keys_by_recipient", person_keys.c.recipient_hash)

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("jurisdiction", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("released_at_ms", BigInteger, nullable=True),
)
