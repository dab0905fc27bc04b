"""The table of what people ask about their data.

data_requests
    One row per request. `subject` is a JSON object of whom it is about; of an erasure that is done, nothing but digests
    is left in it. `digest` finds requests about the same person again, `progress` is a JSON object of how many records
    an erasure has removed so far, `receipt` the signed account of what was done, `again_at_ms` when an erasure that had
    to keep something by law is looked at once more.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from chappe.records.tables import big_key, metadata

data_requests = Table(
    "data_requests",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("terms", Text, nullable=False),
    Column("due_at_ms", BigInteger, nullable=True),
    Column("asked_by", Text, nullable=False),
    Column("note", Text, nullable=True),
    Column("progress", Text, nullable=False),
    Column("completed_at_ms", BigInteger, nullable=True),
    Column("receipt", Text, nullable=True),
    Column("package_until_ms", BigInteger, nullable=True),
    Column("again_at_ms", BigInteger, nullable=True),
)
_unfinished = data_requests.c.completed_at_ms.is_(None)
Index("data_requests_unfinished", data_requests.c.id, sqlite_where=_unfinished, postgresql_where=_unfinished)
Index("data_requests_by_digest", data_requests.c.digest, data_requests.c.id)
