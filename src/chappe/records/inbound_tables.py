"""The tables of what people answer, and of their requests to stop.

inbound_messages
    One row per text from a person, with how it was read. `source`, `channel` and `provider_message_id` together name it
    once. `review` is empty for one that needs none, else `open` or `resolved`. `answer` names the kind of message owed
    in return (empty for none), `answer_state` how far that has come: `owed`, `sent`, `late` or `refused`.
opt_outs
    One row per request to stop, by whatever means. An empty channel or purpose means every one. `suppressions` is a
    JSON array of the keys of the suppressions that it made, `deadlines` one of the rules that set a time and the times.
    `honoured_at_ms` is null until it takes effect; `lifted_at_ms` is set when the person asked to start again.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Table, Text, UniqueConstraint

from chappe.records.tables import big_key, metadata

inbound_messages = Table(
    "inbound_messages",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("recipient", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("provider_message_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("intent", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("keyword", Text, nullable=True),
    Column("language", Text, nullable=True),
    Column("evidence", Text, nullable=False),
    Column("opt_out", BigInteger, nullable=True),
    Column("review", Text, nullable=False),
    Column("resolution", Text, nullable=True),
    Column("answer", Text, nullable=False),
    Column("answer_state", Text, nullable=False),
    Column("answer_text", Text, nullable=True),
    Column("answer_until_ms", BigInteger, nullable=True),
    Column("answer_message", BigInteger, nullable=True),
    UniqueConstraint("source", "channel", "provider_message_id", name="inbound_messages_once"),
)
Index("inbound_messages_by_recipient", inbound_messages.c.recipient, inbound_messages.c.id)
_open = inbound_messages.c.review == "open"
Index("inbound_messages_open", inbound_messages.c.id, sqlite_where=_open, postgresql_where=_open)
_owed = inbound_messages.c.answer_state == "owed"
Index("inbound_messages_owed", inbound_messages.c.id, sqlite_where=_owed, postgresql_where=_owed)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", big_key, primary_key=True, autoincrement=False),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("means", Text, nullable=False),
    Column("keyword", Text, nullable=True),
    Column("jurisdiction", Text, nullable=True),
    Column("inbound", BigInteger, nullable=True),
    Column("message", BigInteger, nullable=True),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("due_at_ms", BigInteger, nullable=True),
    Column("deadlines", Text, nullable=False),
    Column("honoured_at_ms", BigInteger, nullable=True),
    Column("lifted_at_ms", BigInteger, nullable=True),
    Column("suppressions", Text, nullable=False),
    Column("confirmation", BigInteger, nullable=True),
    Column("confirmed_at_ms", BigInteger, nullable=True),
)
Index("opt_outs_by_recipient", opt_outs.c.recipient, opt_outs.c.id)
Index("opt_outs_by_message", opt_outs.c.message)
