"""Whether the files of registries are as they were written, for `chappe doctor`. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from chappe.model.errors import ChappeError
from chappe.records.database import open_for_reading
from chappe.records.registries.sorted_set import open_checked
from chappe.records.registries.tables import registries, registry_versions


class BrokenFile(msgspec.Struct, frozen=True):
    """A version whose file is missing or damaged. While it is the one `in_use`, its registry says that it does not know
    who is listed.
    """

    registry: str
    version: int
    in_use: bool
    what: str


def broken_files(database: Path, folder: Path) -> Iterator[BrokenFile]:
    """Every version that is kept and cannot be used. Reads all of the files.

    A database that cannot be read, or knows of no registries yet, has none: what is wrong with it is told elsewhere.
    """
    query = (
        select(
            registry_versions.c.registry,
            registry_versions.c.version,
            registry_versions.c.file,
            registry_versions.c.file_sha256,
            registries.c.active_version == registry_versions.c.version,
        )
        .join(registries, registries.c.id == registry_versions.c.registry)
        .where(registry_versions.c.file != "")
        .order_by(registry_versions.c.registry, registry_versions.c.version)
    )
    engine = open_for_reading(database)
    try:
        with engine.connect() as connection:
            kept = connection.execute(query).all()
    except DBAPIError:
        return
    finally:
        engine.dispose()
    for registry, version, name, sha256, in_use in kept:
        try:
            open_checked(folder / name, sha256)
        except ChappeError as error:
            yield BrokenFile(registry, version, bool(in_use), error.message)
