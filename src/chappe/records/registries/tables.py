"""The tables of registries.

registries
    One row per registry. `active_version` is the version in use, null before the first import.
registry_versions
    One row per import. `file` is the name of its file in the registries folder, empty once it is kept no longer. A
    version is in use from `activated_at_ms` on, which a rollback renews.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from chappe.records.tables import metadata

registries = Table(
    "registries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("active_version", Integer, nullable=True),
)

registry_versions = Table(
    "registry_versions",
    metadata,
    Column("registry", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("mode", Text, nullable=False),
    Column("base", Integer, nullable=True),
    Column("imported_at_ms", BigInteger, nullable=False),
    Column("activated_at_ms", BigInteger, nullable=False),
    Column("as_of_ms", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_sha256", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("file_bytes", BigInteger, nullable=False),
    Column("file_sha256", Text, nullable=False),
    Column("listings", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("bad_lines", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
    Column("absent", BigInteger, nullable=False),
)
