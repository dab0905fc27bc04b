"""Files of older records: Parquet, one stretch of the chain each. Needs the extra `chappe[audit]`.

A row has the record as it is hashed (`open_part`, `personal_part`) and its hash, and beside them what SQL is asked
about as columns of their own. They say nothing that the open part doesn't, and `chappe audit verify` checks that. Of a
record that was dropped at the end of its retention the number, the hash and when it was recorded remain.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from chappe.model.errors import DataDamaged, ExtraMissing
from chappe.observe.audit.record import DecisionRecord, decode_open

if TYPE_CHECKING:
    import pyarrow

ROWS_AT_ONCE = 8_192
ROW_GROUP_RECORDS = 131_072
"""What a file is read by in parallel, and skipped by."""
DEFAULT_DAY = "1970-01-01"
EXTRA_MISSING = "older audit records are in Parquet files, for which this needs an extra: pip install 'chappe[audit]'"


class StoredRecord(msgspec.Struct, frozen=True):
    """A record of the log. `open_part` and `personal_part` are None once it has been dropped."""

    number: int
    hash: bytes
    recorded_at_ms: int
    open_part: bytes | None
    personal_part: bytes | None


def day_of(moment_ms: int) -> str:
    """The day of a moment, in UTC: the name of the folder a record goes to."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC).date().isoformat()


@cache
def schema() -> pyarrow.Schema:
    """The columns of a file."""
    import pyarrow as pa

    moment = pa.timestamp("ms")  # in UTC; without saying so, which DuckDB would need another library for
    rule = pa.struct([("id", pa.string()), ("outcome", pa.string()), ("reason", pa.string())])
    return pa.schema(
        [
            pa.field("number", pa.int64(), nullable=False),
            pa.field("kind", pa.string()),
            pa.field("decided_at", moment),
            pa.field("message", pa.string()),
            pa.field("stage", pa.string()),
            pa.field("channel", pa.string()),
            pa.field("purpose", pa.string()),
            pa.field("category", pa.string()),
            pa.field("jurisdiction", pa.string()),
            pa.field("outcome", pa.string()),
            pa.field("until", moment),
            pa.field("rule_set", pa.int32()),
            pa.field("rules", pa.list_(rule)),
            pa.field("person", pa.int64()),
            pa.field("recorded_at", moment, nullable=False),
            pa.field("hash", pa.binary(32), nullable=False),
            pa.field("open_part", pa.binary()),
            pa.field("personal_part", pa.binary()),
        ]
    )


QUERIED = (
    "number",
    "kind",
    "decided_at",
    "message",
    "stage",
    "channel",
    "purpose",
    "category",
    "jurisdiction",
    "outcome",
    "until",
    "rule_set",
    "rules",
    "person",
    "recorded_at",
)
"""The columns that SQL is asked about."""
SHORT_NAMES = ("kind", "stage", "channel", "purpose", "category", "jurisdiction", "outcome", "rule_set")
"""Columns with few values, kept once each."""


def row_of(record: StoredRecord) -> dict[str, Any]:
    """A record as a row of a file. Raises `ValueError` if the open part cannot be read."""
    row: dict[str, Any] = {
        "number": record.number,
        "recorded_at": record.recorded_at_ms,
        "hash": record.hash,
        "open_part": record.open_part,
        "personal_part": record.personal_part,
    }
    if record.open_part is not None:
        row.update(columns_of(record.open_part))
    return row


def columns_of(open_part: bytes) -> dict[str, Any]:
    """What the columns say of a record, as the open part has it. Moments in ms. Raises `ValueError`."""
    record = decode_open(open_part)
    columns: dict[str, Any] = {"kind": record.__struct_config__.tag, "decided_at": record.at_ms}
    if isinstance(record, DecisionRecord):
        decision = record.decision
        columns |= {
            "message": record.message,
            "stage": record.stage.value,
            "channel": record.channel,
            "purpose": record.purpose,
            "category": record.category,
            "jurisdiction": record.jurisdiction,
            "outcome": decision.outcome.value,
            "until": decision.until_ms,
            "rule_set": decision.rule_set,
            "rules": [{"id": rule.id, "outcome": rule.outcome.value, "reason": rule.reason} for rule in decision.rules],
            "person": record.person,
        }
    return columns


def table_of(records: Sequence[StoredRecord]) -> pyarrow.Table:
    """Records as a table in memory."""
    pa = load_pyarrow()
    rows = [row_of(record) for record in records]
    return pa.table({name: [row.get(name) for row in rows] for name in schema().names}, schema=schema())


def write_records(path: Path, pieces: Iterable[Sequence[StoredRecord]]) -> None:
    """Write a file, whole or not at all, and flushed to the disk. What was at `path` is replaced."""
    _make_folder(path.parent)
    temporary = path.with_suffix(".writing")
    with temporary.open("wb") as stream:
        with open_writer(stream) as writer:
            waiting: list[pyarrow.Table] = []
            count = 0
            for piece in pieces:
                waiting.append(table_of(piece))
                count += len(piece)
                if count >= ROW_GROUP_RECORDS:
                    _write_group(writer, waiting)
                    waiting, count = [], 0
            if waiting:
                _write_group(writer, waiting)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def open_writer(stream: BinaryIO) -> Any:
    """A writer of tables of our columns, as a context manager."""
    load_pyarrow()
    import pyarrow.parquet as pq

    # What is encrypted, and hashes, cannot be compressed; neither is worth a dictionary.
    compression = {name: "none" if name in ("hash", "personal_part") else "zstd" for name in _leaf_names(schema())}
    return pq.ParquetWriter(stream, schema(), compression=compression, use_dictionary=[*SHORT_NAMES, *_RULE_LEAVES])


_RULE_LEAVES = tuple(f"rules.list.element.{name}" for name in ("id", "outcome", "reason"))


def _leaf_names(whole: pyarrow.Schema) -> list[str]:
    return [name for name in whole.names if name != "rules"] + list(_RULE_LEAVES)


def _write_group(writer: Any, waiting: list[pyarrow.Table]) -> None:
    import pyarrow as pa

    writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_RECORDS)


def read_records(path: Path, first: int = 0) -> Iterator[list[StoredRecord]]:
    """The records of a file from a number on, in order. Raises `OSError`, `ValueError`."""
    for _, piece in read_rows(path, first, columns=("number", "hash", "recorded_at", "open_part", "personal_part")):
        yield piece


def read_hashes(path: Path, first: int = 0) -> Iterator[list[bytes]]:
    """The hashes of a file's records from a number on, in order. Raises `OSError`, `ValueError`."""
    load_pyarrow()
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=_groups_from(file, first), columns=["number", "hash"]):
            number = batch.column("number")[0].as_py()
            hashes = batch.column("hash").to_pylist()[max(0, first - number) :]
            if hashes:
                yield hashes


def _groups_from(file: Any, first: int) -> list[int]:
    """The groups of rows that records from a number on may be in."""
    groups = range(file.metadata.num_row_groups)
    return [number for number in groups if file.metadata.row_group(number).column(0).statistics.max >= first]


def read_matching(path: Path, *, message: str | None, outcome: str | None, before: int | None) -> list[StoredRecord]:
    """The records of a file that are about a message, have an outcome, and come before a number; None matches all.

    Raises `DataDamaged`.
    """
    load_pyarrow()
    import pyarrow.parquet as pq

    conditions: list[tuple[str, str, Any]] = [("kind", "==", "decision")]
    conditions += [("message", "==", message)] if message is not None else []
    conditions += [("outcome", "==", outcome)] if outcome is not None else []
    conditions += [("number", "<", before)] if before is not None else []
    columns = ["number", "hash", "recorded_at", "open_part", "personal_part"]
    try:
        table = pq.read_table(path, columns=columns, filters=conditions, partitioning=None)
    except (OSError, ValueError) as error:
        raise DataDamaged(f"{path} cannot be read: {error}") from error
    return [record for batch in table.to_batches() for record in _records_of(batch)]


def _records_of(batch: pyarrow.RecordBatch) -> list[StoredRecord]:
    import pyarrow as pa

    values = zip(
        batch.column("number").to_pylist(),
        batch.column("hash").to_pylist(),
        batch.column("recorded_at").cast(pa.int64()).to_pylist(),
        batch.column("open_part").to_pylist(),
        batch.column("personal_part").to_pylist(),
        strict=True,
    )
    return [StoredRecord(*row) for row in values]


def read_rows(
    path: Path, first: int = 0, *, columns: Sequence[str] | None = None
) -> Iterator[tuple[pyarrow.RecordBatch, list[StoredRecord]]]:
    """The same, with the batch of columns that each piece was read from."""
    load_pyarrow()
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=_groups_from(file, first), columns=columns):
            skipped = max(0, first - batch.column("number")[0].as_py())
            if skipped < len(batch):
                batch = batch.slice(skipped)
                yield batch, _records_of(batch)


def pyarrow_installed() -> bool:
    """Whether the library is there, without loading it."""
    return importlib.util.find_spec("pyarrow") is not None


def load_pyarrow() -> Any:
    """The library. Raises `ExtraMissing`."""
    try:
        import pyarrow
    except ImportError as error:
        raise ExtraMissing(EXTRA_MISSING) from error
    return pyarrow


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)
