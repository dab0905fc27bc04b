"""Which model has been in use: an append-only history, whose last row says what is. The models themselves are files."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from chappe.model.errors import Conflict
from chappe.records.classification_tables import model_activations as activations
from chappe.records.commit import GroupCommit
from chappe.records.reading import Readers, Reading
from chappe.records.rule_sets import Author


class ModelChange(StrEnum):
    """What changed."""

    ACTIVATED = "activated"
    SHADOWED = "shadowed"
    """A model was put beside the one in use, or taken from there."""
    ROLLED_BACK = "rolled_back"


class ModelsInUse(msgspec.Struct, frozen=True):
    """The versions in use and in its shadow. `version` None is the model that comes with Chappe."""

    version: str | None = None
    shadow: str | None = None


class ModelActivation(msgspec.Struct, frozen=True):
    """One change. `replaced` is the row before, to which a rollback of this one returns; 0 is the beginning."""

    id: int
    change: ModelChange
    in_use: ModelsInUse
    replaced: int | None
    at_ms: int
    author: Author


class ModelActivationRecords:
    """The history of a database."""

    def __init__(self, commits: GroupCommit, readers: Readers) -> None:
        self._commits = commits
        self._readers = readers

    async def last(self) -> ModelActivation | None:
        """The one that says what is in use; None before the first."""
        return await self._readers.read(_last, Reading.BROWSING)

    async def history(self, limit: int) -> list[ModelActivation]:
        """The newest, newest first."""
        query = select(activations).order_by(activations.c.id.desc()).limit(limit)
        return await self._readers.read(lambda c: [_of(row) for row in c.execute(query)], Reading.BROWSING)

    async def change(
        self, change: ModelChange, to: Callable[[ModelsInUse], ModelsInUse], *, at_ms: int, author: Author
    ) -> ModelActivation:
        """Put something else in use: `to` is given what is now. Raises whatever it raises."""

        def operation(connection: Connection) -> ModelActivation:
            last = _last(connection)
            now = ModelsInUse() if last is None else last.in_use
            number = 1 if last is None else last.id + 1
            return _appended(connection, ModelActivation(number, change, to(now), number - 1, at_ms, author))

        return await self._commits.run(operation)

    async def roll_back(self, *, at_ms: int, author: Author) -> ModelActivation:
        """Return to what was in use before the last change. Raises `Conflict` if there was nothing before."""

        def operation(connection: Connection) -> ModelActivation:
            last = _last(connection)
            if last is None or last.replaced is None:
                raise Conflict("There is no earlier model to return to.")
            earlier = connection.execute(select(activations).where(activations.c.id == last.replaced)).one_or_none()
            in_use, replaced = (
                (ModelsInUse(), None) if earlier is None else (_of(earlier).in_use, _of(earlier).replaced)
            )
            back = ModelActivation(last.id + 1, ModelChange.ROLLED_BACK, in_use, replaced, at_ms, author)
            return _appended(connection, back)

        return await self._commits.run(operation)


def _last(connection: Connection) -> ModelActivation | None:
    row = connection.execute(select(activations).order_by(activations.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _of(row)


def _appended(connection: Connection, activation: ModelActivation) -> ModelActivation:
    connection.execute(
        insert(activations),
        {
            "id": activation.id,
            "kind": activation.change.value,
            "version": activation.in_use.version,
            "shadow": activation.in_use.shadow,
            "replaced": activation.replaced,
            "at_ms": activation.at_ms,
            "author": activation.author.key_id,
            "author_name": activation.author.name,
            "reason": activation.author.reason,
        },
    )
    return activation


def _of(row: Any) -> ModelActivation:
    return ModelActivation(
        row.id,
        ModelChange(row.kind),
        ModelsInUse(row.version, row.shadow),
        row.replaced,
        row.at_ms,
        Author(row.author, row.author_name, row.reason),
    )
