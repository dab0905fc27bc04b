"""The tables of rule sets. Both are append-only.

rule_sets
    One row per version. `rules` is a JSON array of rules, `digest` the SHA-256 of it. `origin` is `configured` for the
    rules that come with the server and its rule files, `created` for those made through the API. `base` is the version
    that this one was made from.
rule_set_activations
    What has been in force, one row per change. The last row alone says what is in force now, for everyone (`version`)
    and for some recipients (`staged_*`, null without a stage; jurisdictions are a JSON array), so an activation is one
    insertion: there before or after a crash, and nothing in between. `replaced` is the row whose state came before, to
    which a rollback returns; `author` is the id of an API key, `author_name` the name that it had.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text

from chappe.records.tables import metadata

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("base", Integer, nullable=True),
    Column("rule_count", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rules", Text, nullable=False),
)

rule_set_activations = Table(
    "rule_set_activations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("staged_version", Integer, nullable=True),
    Column("staged_jurisdictions", Text, nullable=True),
    Column("staged_percent", Float, nullable=True),
    Column("replaced", Integer, nullable=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("rule_set_activations_by_kind", rule_set_activations.c.kind)
