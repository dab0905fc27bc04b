"""The tables. Keys and moments are described in the package's docstring.

messages
    One row per message to a person, small on purpose because it is rewritten at every step. `recipient` is
    `kind:address`; `recipient_hash` is 64 bits of it, for an index of a fifth of the size. `counted_at_ms` is the
    moment from which a message counts against frequency caps, null while it does not, and `counted_as` what it counts
    as (counted.py), null where that says nothing. `timeline` is text, one JSON object per line, appended to
    (timeline.py).
contents
    The message as accepted, one JSON object, written once. Apart, so that a long newsletter is not rewritten with
    each change of status.
consents
    Append-only. An empty channel means every channel. `details` is a JSON object: how it came about.
suppressions
    An empty channel or purpose means every one.
idempotency
    Answers already given, by caller and key.
marks
    Named numbers: how far something has come.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text, UniqueConstraint

SCHEMA_VERSION = 3

metadata = MetaData()

big_key = BigInteger().with_variant(Integer, "sqlite")
"""In SQLite only a column declared INTEGER is the table's own key."""

schema = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("recipient_hash", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("counted_at_ms", BigInteger, nullable=True),
    Column("counted_as", Text, nullable=True),
    Column("timeline", Text, nullable=False),
)
Index("messages_by_status", messages.c.status, messages.c.id)
Index("messages_by_recipient", messages.c.recipient_hash, messages.c.id)
_counted = messages.c.counted_at_ms.is_not(None)
Index(
    "messages_counted",
    messages.c.recipient_hash,
    messages.c.channel,
    messages.c.counted_at_ms,
    sqlite_where=_counted,
    postgresql_where=_counted,
)

contents = Table(
    "contents",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("message", Text, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("level", Text, nullable=True),
    Column("proof", Text, nullable=True),
    Column("source", Text, nullable=True),
    Column("recorded_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=True),
    Column("details", Text, nullable=True),
)
Index("consents_by_recipient", consents.c.recipient, consents.c.id)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    UniqueConstraint("recipient", "channel", "purpose", name="suppressions_once"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("response", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
)
Index("idempotency_by_expiry", idempotency.c.expires_at_ms)

marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
