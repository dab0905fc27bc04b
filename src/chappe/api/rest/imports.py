"""How the import of a list stands, whatever it is a list of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.api.rest.presenting import moment
from chappe.records.registries.imports import Import, ImportStatus


class BadLineView(msgspec.Struct, frozen=True):
    """A line that could not be used. The reason does not repeat what stands in it."""

    line: int
    reason: str


class ImportView(msgspec.Struct, frozen=True, omit_defaults=True):
    """An import and how it stands: `done` of `total` within its `step`. `bad` are the first of the bad lines."""

    id: str
    status: ImportStatus
    started_at: datetime
    step: str
    done: int
    total: int
    lines: int
    bad_lines: int
    bad: list[BadLineView]
    version: int | None = None
    changed: Annotated[int | None, Meta(description="Lines that brought something new.")] = None
    code: Annotated[str | None, Meta(description="Why nothing was changed, for programs.")] = None
    reason: Annotated[str | None, Meta(description="The same in words.")] = None


def import_view(each: Import) -> ImportView:
    """How an import stands."""
    return ImportView(
        id=each.id,
        status=each.status,
        started_at=moment(each.started_at_ms),
        step=each.step,
        done=each.done,
        total=each.total,
        lines=each.lines,
        bad_lines=each.bad_lines,
        bad=[BadLineView(bad.line, bad.reason) for bad in each.bad],
        version=each.version,
        changed=each.changed,
        code=each.code,
        reason=each.reason,
    )
