"""The rules every batch follows. A fault of the whole batch is raised; a fault of one entry fails that entry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from chappe.broker.error_codes import name_of
from chappe.broker.errors import BatchIdInvalid, BatchIdsNotDistinct, EmptyBatch, MissingParameter, TooManyBatchEntries
from chappe.broker.shapes import BatchResultErrorEntry
from chappe.model.errors import ChappeError

ENTRIES_MAX = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Entry(Protocol):
    id: str | None


E = TypeVar("E", bound=Entry)


def check_batch(entries: Sequence[E] | None, shape: str) -> list[tuple[str, E]]:
    """The entries with their ids. `shape` is the name of the entry in the service model."""
    if not entries:
        raise EmptyBatch(f"There should be at least one {shape} in the request.")
    if len(entries) > ENTRIES_MAX:
        raise TooManyBatchEntries(
            f"Maximum number of entries per request are {ENTRIES_MAX}. You have sent {len(entries)}."
        )
    checked: dict[str, E] = {}
    for number, entry in enumerate(entries, 1):
        if entry.id is None:
            raise MissingParameter.named(f"{shape}.{number}.Id")
        entry_id = entry.id
        if not _ID.fullmatch(entry_id):
            raise BatchIdInvalid(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long."
            )
        if entry_id in checked:
            raise BatchIdsNotDistinct(f"Id {entry_id} repeated.")
        checked[entry_id] = entry
    return list(checked.items())


def failed(entry_id: str, error: ChappeError) -> BatchResultErrorEntry:
    name = name_of(error)
    return BatchResultErrorEntry(
        id=entry_id, sender_fault=name.sender_fault, code=name.query_code, message=error.message
    )
