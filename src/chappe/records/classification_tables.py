"""The tables of what people and models say of content.

reviews
    One row per message that was held because of its content, under the message's key. While it is open nothing of the
    message is in any queue: the row is what brings it back. `resolution` is empty until then, `released` is 1 once the
    message is in a queue again. The content stands in the message's own record.
feedback
    Labels that people gave: to a message (`message` is its key, and its text stands in its record), or to a text that
    is kept here. What they are for is training.
model_activations
    Which model has been in use, one row per change; the last says what is. `version` and `shadow` name files, null
    stands for the model that comes with Chappe, and for none. `replaced` is the row to which a rollback returns.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text

from chappe.records.tables import big_key, metadata

reviews = Table(
    "reviews",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("label", Text, nullable=False),
    Column("probability", Float, nullable=False),
    Column("checks", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("due_at_ms", BigInteger, nullable=False),
    Column("resolution", Text, nullable=False),
    Column("resolved_at_ms", BigInteger, nullable=True),
    Column("author", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("note", Text, nullable=True),
    Column("released", Integer, nullable=False),
)
_waiting = reviews.c.released == 0
Index("reviews_waiting", reviews.c.id, sqlite_where=_waiting, postgresql_where=_waiting)

feedback = Table(
    "feedback",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("message", BigInteger, nullable=True),
    Column("text", Text, nullable=True),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=True),
    Column("note", Text, nullable=True),
    Column("author", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
Index("feedback_by_message", feedback.c.message)

model_activations = Table(
    "model_activations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("version", Text, nullable=True),
    Column("shadow", Text, nullable=True),
    Column("replaced", Integer, nullable=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
