"""The table of how messages fare.

sender_rates
    One row per measurement of a part of messages, 0 to 1, such as those reported as spam on a day. `sender` is the one
    it was measured of, null for all. A measurement of the same at the same moment takes the place of the one before.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Table, Text

from chappe.records.tables import big_key, metadata

sender_rates = Table(
    "sender_rates",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("metric", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    Column("sender", Text, nullable=True),
    Column("source", Text, nullable=False),
    Column("author", Text, nullable=False),
)
