"""What remains of records for one key: duplicates united, and in a delta what was there before, changed.

Records are sorted by key, operation (remove, kept, add) and category; see `layout.TAIL`.
"""

from __future__ import annotations

from itertools import groupby

import msgspec

from chappe.records.registries.layout import OPERATION_ADD, OPERATION_KEPT, OPERATION_REMOVE, TAIL

_NO_CATEGORY = 0


class Counts(msgspec.Struct):
    """What a delta came to, in entries."""

    added: int = 0
    removed: int = 0
    absent: int = 0
    """Removals of what was not there."""


def without_repeats(records: list[bytes]) -> list[bytes]:
    """The records, each once."""
    return list(dict.fromkeys(records))


def united(records: list[bytes], *, latest: bool) -> list[bytes]:
    """One record for each key, operation and category.

    Of several the one with the earliest `since` counts, with `latest` the latest, and of its equals the one that ends
    last.
    """
    kept: list[bytes] = []
    head_bytes = len(records[0]) - _TIMES_BYTES if records else 0
    head = b""
    for record in records:
        if record[:head_bytes] != head:
            head = record[:head_bytes]
            kept.append(record)
        elif latest or record[: head_bytes + _SINCE_BYTES] == kept[-1][: head_bytes + _SINCE_BYTES]:
            kept[-1] = record  # in order of `since`, then of `until`
    return kept


class Delta:
    """Applies removals, then additions, to the entries kept from the version before."""

    def __init__(self, key_bytes: int, *, latest: bool) -> None:
        self._key_bytes = key_bytes
        self._latest = latest
        self.counts = Counts()

    def applied(self, records: list[bytes]) -> list[bytes]:
        """What is in the new version, all marked as kept."""
        key_bytes = self._key_bytes
        changed: list[bytes] = []
        for _, group in groupby(records, key=lambda record: record[:key_bytes]):
            entries = list(group)
            if len(entries) == 1 and entries[0][key_bytes] == OPERATION_KEPT:
                changed += entries
            else:
                changed += self._one_key(entries)
        return changed

    def _one_key(self, records: list[bytes]) -> list[bytes]:
        by_operation: dict[int, list[bytes]] = {OPERATION_REMOVE: [], OPERATION_KEPT: [], OPERATION_ADD: []}
        for record in records:
            by_operation[record[self._key_bytes]].append(record)
        kept = by_operation[OPERATION_KEPT]
        for removal in by_operation[OPERATION_REMOVE]:
            category = self._category(removal)
            left = [entry for entry in kept if category not in (_NO_CATEGORY, self._category(entry))]
            self.counts.removed += len(kept) - len(left)
            self.counts.absent += len(kept) == len(left)
            kept = left
        added = [self._as_kept(record) for record in by_operation[OPERATION_ADD]]
        both = united(sorted(kept + added), latest=self._latest)
        self.counts.added += len(both) - len(kept)
        return both

    def _category(self, record: bytes) -> int:
        category: int = TAIL.unpack_from(record, self._key_bytes)[1]
        return category

    def _as_kept(self, record: bytes) -> bytes:
        return record[: self._key_bytes] + bytes([OPERATION_KEPT]) + record[self._key_bytes + 1 :]


_SINCE_BYTES = 4
_TIMES_BYTES = 2 * _SINCE_BYTES
