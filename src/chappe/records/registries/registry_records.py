"""Which registries there are, their versions, and which of them is in use."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from chappe.model.errors import RegistryExists, RegistryNotFound, RegistryVersionNotFound
from chappe.model.registry import RegistryKind
from chappe.records.commit import GroupCommit
from chappe.records.reading import Readers, Reading
from chappe.records.registries.building import Mode
from chappe.records.registries.layout import Form
from chappe.records.registries.tables import registries, registry_versions

VERSIONS_KEPT = 5
"""The entries of so many versions are kept, the one in use among them, to go back to."""


class Registry(msgspec.Struct, frozen=True):
    """A registry. `id` is made from its name by `registry_id`."""

    id: str
    name: str
    kind: RegistryKind
    jurisdiction: str
    form: Form
    created_at_ms: int
    active_version: int | None = None


class RegistryVersion(msgspec.Struct, frozen=True):
    """One import. `base` is the version that a delta changed; `as_of_ms` the moment whose state it shows.

    `listings` are its entries; `added`, `removed` and `absent` (asked to be removed and not there) what the import did.
    `author` is the id of the API key. `file` is empty once the entries are kept no longer.
    """

    registry: str
    version: int
    mode: Mode
    base: int | None
    imported_at_ms: int
    activated_at_ms: int
    as_of_ms: int
    source: str
    source_sha256: str
    author: str
    file: str
    file_bytes: int
    file_sha256: str
    listings: int
    lines: int
    bad_lines: int
    added: int
    removed: int
    absent: int


class RegistryRecords:
    """The registries of a database. Every change is one transaction."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    async def create(self, registry: Registry) -> tuple[Registry, bool]:
        """Make a registry; the one there is, and whether it is new.

        One of the same kind and form is kept, under the name it has. Raises `RegistryExists` for another one.
        """

        def operation(connection: Connection) -> tuple[Registry, bool]:
            found = _find(connection, registry.id)
            if found is None:
                connection.execute(insert(registries).values(msgspec.structs.asdict(registry)))
                return registry, True
            if (found.kind, found.form, found.jurisdiction) != (registry.kind, registry.form, registry.jurisdiction):
                raise RegistryExists(
                    f"There is a registry {found.id} already: kind {found.kind}, form {found.form}, jurisdiction "
                    f"{found.jurisdiction}. Choose another name, or delete it first.",
                    id=found.id,
                )
            return found, False

        return await self._commits.run(operation)

    async def get(self, registry: str) -> Registry:
        """Raises `RegistryNotFound`."""
        return await self._readers.read(lambda c: _existing(c, registry), Reading.BROWSING)

    async def page(self, after: str, limit: int) -> list[Registry]:
        """Registries in order of id, from the one after `after`."""
        query = select(registries).where(registries.c.id > after).order_by(registries.c.id).limit(limit)
        return await self._readers.read(
            lambda c: [_registry(row) for row in c.execute(query).mappings()], Reading.BROWSING
        )

    async def versions(self, registry: str) -> list[RegistryVersion]:
        """The versions of a registry, newest first. Raises `RegistryNotFound`."""
        query = (
            select(registry_versions)
            .where(registry_versions.c.registry == registry)
            .order_by(registry_versions.c.version.desc())
        )

        def read(connection: Connection) -> list[RegistryVersion]:
            _existing(connection, registry)
            return [_version(row) for row in connection.execute(query).mappings()]

        return await self._readers.read(read, Reading.BROWSING)

    async def version(self, registry: str, version: int) -> RegistryVersion:
        """Raises `RegistryVersionNotFound`."""
        return await self._readers.read(lambda c: _existing_version(c, registry, version), Reading.BROWSING)

    async def in_use(self) -> list[tuple[Registry, RegistryVersion]]:
        """Every registry that has a version in use, with it."""

        def read(connection: Connection) -> list[tuple[Registry, RegistryVersion]]:
            return [
                (registry, _existing_version(connection, registry.id, registry.active_version))
                for registry in map(_registry, connection.execute(select(registries)).mappings().all())
                if registry.active_version is not None
            ]

        return await self._readers.read(read)

    async def files(self) -> set[str]:
        """The names of all files that versions keep."""
        query = select(registry_versions.c.file).where(registry_versions.c.file != "")
        return await self._readers.read(lambda c: set(c.execute(query).scalars()))

    async def add_version(self, version: RegistryVersion) -> tuple[RegistryVersion, list[str]]:
        """Record a version under the next number, and use it from now on.

        The version, and the files that are kept no longer. Raises `RegistryNotFound` if the registry was deleted.
        """

        def operation(connection: Connection) -> tuple[RegistryVersion, list[str]]:
            _existing(connection, version.registry)
            newest = connection.execute(
                select(func.max(registry_versions.c.version)).where(registry_versions.c.registry == version.registry)
            ).scalar()
            numbered = msgspec.structs.replace(version, version=(newest or 0) + 1)
            connection.execute(insert(registry_versions).values(msgspec.structs.asdict(numbered)))
            _use(connection, numbered.registry, numbered.version)
            return numbered, _let_go(connection, numbered)

        return await self._commits.run(operation)

    async def activate(self, registry: str, version: int, now_ms: int) -> RegistryVersion:
        """Use another version. Raises `RegistryNotFound`, `RegistryVersionNotFound`."""

        def operation(connection: Connection) -> RegistryVersion:
            _existing(connection, registry)
            found = _existing_version(connection, registry, version)
            if not found.file:
                raise RegistryVersionNotFound(
                    f"Version {version} of {registry} is known, but its entries are kept no longer; import them again.",
                    id=registry,
                    version=version,
                )
            connection.execute(
                update(registry_versions)
                .where(registry_versions.c.registry == registry, registry_versions.c.version == version)
                .values(activated_at_ms=now_ms)
            )
            _use(connection, registry, version)
            return msgspec.structs.replace(found, activated_at_ms=now_ms)

        return await self._commits.run(operation)

    async def delete(self, registry: str) -> list[str]:
        """Delete a registry with its versions; the files of these. Raises `RegistryNotFound`."""

        def operation(connection: Connection) -> list[str]:
            _existing(connection, registry)
            mine = registry_versions.c.registry == registry
            kept = select(registry_versions.c.file).where(mine, registry_versions.c.file != "")
            files = list(connection.execute(kept).scalars())
            connection.execute(delete(registry_versions).where(mine))
            connection.execute(delete(registries).where(registries.c.id == registry))
            return files

        return await self._commits.run(operation)


def _find(connection: Connection, registry: str) -> Registry | None:
    row = connection.execute(select(registries).where(registries.c.id == registry)).mappings().one_or_none()
    return None if row is None else _registry(row)


def _existing(connection: Connection, registry: str) -> Registry:
    found = _find(connection, registry)
    if found is None:
        raise RegistryNotFound(f"There is no registry {registry!r}; GET /v1/registries lists them.", id=registry)
    return found


def _existing_version(connection: Connection, registry: str, version: int | None) -> RegistryVersion:
    query = select(registry_versions).where(
        registry_versions.c.registry == registry, registry_versions.c.version == version
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise RegistryVersionNotFound(f"{registry} has no version {version}.", id=registry, version=version)
    return _version(row)


def _use(connection: Connection, registry: str, version: int) -> None:
    connection.execute(update(registries).where(registries.c.id == registry).values(active_version=version))


def _let_go(connection: Connection, newest: RegistryVersion) -> list[str]:
    """Keep the entries of the newest versions only; the files of the others."""
    old = (
        (registry_versions.c.registry == newest.registry)
        & (registry_versions.c.version <= newest.version - VERSIONS_KEPT)
        & (registry_versions.c.file != "")
    )
    files = list(connection.execute(select(registry_versions.c.file).where(old)).scalars())
    connection.execute(update(registry_versions).where(old).values(file=""))
    return files


def _registry(row: RowMapping) -> Registry:
    return msgspec.convert({str(name): value for name, value in row.items()}, Registry)


def _version(row: RowMapping) -> RegistryVersion:
    return msgspec.convert({str(name): value for name, value in row.items()}, RegistryVersion)
