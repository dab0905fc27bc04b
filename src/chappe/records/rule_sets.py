"""Versions of the rule set, and which of them is in force: an append-only history of both.

What a rule says is nothing to the records: a version is a JSON array and its digest.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select

from chappe.model.errors import Conflict, RuleSetNotFound
from chappe.records.commit import GroupCommit
from chappe.records.reading import Readers, Reading
from chappe.records.rule_set_tables import rule_set_activations as activations
from chappe.records.rule_set_tables import rule_sets


class Origin(StrEnum):
    """Where a version comes from."""

    CONFIGURED = "configured"
    """The rules that come with the server, and its rule files."""
    CREATED = "created"
    """Made through the API."""


class ActivationKind(StrEnum):
    """Who or what changed the rules in force."""

    AUTOMATIC = "automatic"
    """A start of the server, with new or changed configured rules."""
    ACTIVATED = "activated"
    """For everyone."""
    STAGED = "staged"
    """For some recipients, beside the version that is for everyone."""
    ROLLED_BACK = "rolled_back"


class Author(msgspec.Struct, frozen=True):
    """Who did it and why: the id of an API key ("" for the server itself), its name, and the reason given."""

    key_id: str
    name: str
    reason: str


class VersionSummary(msgspec.Struct, frozen=True):
    """A version without its rules."""

    version: int
    origin: Origin
    base: int | None
    rule_count: int
    digest: str
    created_at_ms: int
    author: Author


class Version(msgspec.Struct, frozen=True):
    """A version and its rules as a JSON array."""

    summary: VersionSummary
    rules: str


class StagedPart(msgspec.Struct, frozen=True):
    """For whom another version is in force: recipients in these jurisdictions (none: all), and this share of them."""

    version: int
    jurisdictions: tuple[str, ...]
    percent: float


class InForce(msgspec.Struct, frozen=True):
    """What is in force after an activation: `version` for everyone whom `staged` does not include."""

    version: int
    staged: StagedPart | None = None


class Activation(msgspec.Struct, frozen=True):
    """One change of what is in force. `replaced` is the activation that a rollback of this one returns to."""

    id: int
    kind: ActivationKind
    in_force: InForce
    replaced: int | None
    at_ms: int
    author: Author


class RuleSetRecords:
    """The rule sets of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    async def add(
        self, rules: str, rule_count: int, *, origin: Origin, base: int | None, at_ms: int, author: Author
    ) -> VersionSummary:
        """Store a new version under the next number.

        Raises `Conflict` if it is the same as its base or, without a base, the same as the newest.
        """
        digest = digest_of(rules)

        def operation(connection: Connection) -> VersionSummary:
            newest = connection.execute(select(func.max(rule_sets.c.version))).scalar() or 0
            compared = newest if base is None else base
            same = select(rule_sets.c.version).where(rule_sets.c.version == compared, rule_sets.c.digest == digest)
            if connection.execute(same).scalar() is not None:
                raise Conflict(f"This is the same as version {compared}; nothing was stored.", version=compared)
            summary = VersionSummary(newest + 1, origin, base, rule_count, digest, at_ms, author)
            connection.execute(insert(rule_sets), _version_row(summary, rules))
            return summary

        return await self._commits.run(operation)

    async def get(self, version: int) -> Version:
        """Raises `RuleSetNotFound`."""
        query = select(rule_sets).where(rule_sets.c.version == version)
        row = await self._readers.read(lambda c: c.execute(query).one_or_none(), Reading.BROWSING)
        if row is None:
            raise no_such_version(version)
        return Version(_summary_of(row), row.rules)

    async def newest(self, origin: Origin | None = None) -> Version | None:
        """The version with the highest number, of all or of this origin."""
        query = select(rule_sets).order_by(rule_sets.c.version.desc()).limit(1)
        if origin is not None:
            query = query.where(rule_sets.c.origin == origin.value)
        row = await self._readers.read(lambda c: c.execute(query).one_or_none(), Reading.BROWSING)
        return None if row is None else Version(_summary_of(row), row.rules)

    async def versions(self, before: int | None, limit: int) -> list[VersionSummary]:
        """Versions, newest first, from below `before`."""
        columns = [column for column in rule_sets.c if column.name != "rules"]
        query = select(*columns).order_by(rule_sets.c.version.desc()).limit(limit)
        if before is not None:
            query = query.where(rule_sets.c.version < before)
        return await self._readers.read(lambda c: [_summary_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def last_activation(self) -> Activation | None:
        """The one that says what is in force; None before the first."""
        return await self._readers.read(_last, Reading.BROWSING)

    async def activation(self, activation_id: int) -> Activation | None:
        """The activation with this id."""
        query = select(activations).where(activations.c.id == activation_id)
        row = await self._readers.read(lambda c: c.execute(query).one_or_none(), Reading.BROWSING)
        return None if row is None else _activation_of(row)

    async def history(self, before: int | None, limit: int) -> list[Activation]:
        """Activations, newest first, from below `before`."""
        query = select(activations).order_by(activations.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(activations.c.id < before)
        return await self._readers.read(lambda c: [_activation_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def chosen_by_hand(self) -> bool:
        """Whether anybody ever activated, staged or rolled back a version."""
        query = select(activations.c.id).where(activations.c.kind != ActivationKind.AUTOMATIC.value).limit(1)
        return await self._readers.read(lambda c: c.execute(query).scalar() is not None, Reading.BROWSING)

    async def activate(
        self,
        kind: ActivationKind,
        change: Callable[[InForce | None], InForce],
        *,
        at_ms: int,
        author: Author,
    ) -> Activation:
        """Put something in force: `change` is given what is now and says what comes next, in one transaction.

        Raises `RuleSetNotFound` if a version does not exist, and whatever `change` raises.
        """

        def operation(connection: Connection) -> Activation:
            last = _last(connection)
            in_force = change(None if last is None else last.in_force)
            _check_versions(connection, in_force)
            number, replaced = (1, None) if last is None else (last.id + 1, last.id)
            return _appended(connection, Activation(number, kind, in_force, replaced, at_ms, author))

        return await self._commits.run(operation)

    async def roll_back(self, *, at_ms: int, author: Author) -> Activation:
        """Return to what was in force before the last activation. Raises `Conflict` if there was nothing before."""

        def operation(connection: Connection) -> Activation:
            last = _last(connection)
            if last is None or last.replaced is None:
                raise Conflict("There is no earlier activation to return to.")
            query = select(activations).where(activations.c.id == last.replaced)
            earlier = _activation_of(connection.execute(query).one())
            kind = ActivationKind.ROLLED_BACK
            back = Activation(last.id + 1, kind, earlier.in_force, earlier.replaced, at_ms, author)
            return _appended(connection, back)

        return await self._commits.run(operation)


def digest_of(rules: str) -> str:
    """What tells versions apart."""
    return sha256(rules.encode()).hexdigest()


def no_such_version(version: int) -> RuleSetNotFound:
    """The error for a version that does not exist."""
    return RuleSetNotFound(f"There is no rule set version {version}.", version=version)


def _last(connection: Connection) -> Activation | None:
    row = connection.execute(select(activations).order_by(activations.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _activation_of(row)


def _appended(connection: Connection, activation: Activation) -> Activation:
    connection.execute(insert(activations), _activation_row(activation))
    return activation


def _check_versions(connection: Connection, state: InForce) -> None:
    for version in {state.version, state.version if state.staged is None else state.staged.version}:
        if connection.execute(select(rule_sets.c.version).where(rule_sets.c.version == version)).scalar() is None:
            raise no_such_version(version)


def _version_row(summary: VersionSummary, rules: str) -> dict[str, Any]:
    return {
        "version": summary.version,
        "origin": summary.origin.value,
        "base": summary.base,
        "rule_count": summary.rule_count,
        "digest": summary.digest,
        "created_at_ms": summary.created_at_ms,
        **_author_columns(summary.author),
        "rules": rules,
    }


def _summary_of(row: Any) -> VersionSummary:
    return VersionSummary(
        row.version,
        Origin(row.origin),
        row.base,
        row.rule_count,
        row.digest,
        row.created_at_ms,
        Author(row.author, row.author_name, row.reason),
    )


def _activation_row(activation: Activation) -> dict[str, Any]:
    staged = activation.in_force.staged
    return {
        "id": activation.id,
        "kind": activation.kind.value,
        "version": activation.in_force.version,
        "staged_version": staged and staged.version,
        "staged_jurisdictions": staged and msgspec.json.encode(staged.jurisdictions).decode(),
        "staged_percent": staged and staged.percent,
        "replaced": activation.replaced,
        "at_ms": activation.at_ms,
        **_author_columns(activation.author),
    }


def _author_columns(author: Author) -> dict[str, str]:
    return {"author": author.key_id, "author_name": author.name, "reason": author.reason}


def _activation_of(row: Any) -> Activation:
    staged = None
    if row.staged_version is not None:
        places = msgspec.json.decode(row.staged_jurisdictions, type=tuple[str, ...])
        staged = StagedPart(row.staged_version, places, row.staged_percent)
    return Activation(
        row.id,
        ActivationKind(row.kind),
        InForce(row.version, staged),
        row.replaced,
        row.at_ms,
        Author(row.author, row.author_name, row.reason),
    )
