"""SQL over the log: one SELECT, read-only, over the table `decisions` (and `records`, with everything else on record).

DuckDB runs it in this process, closed off before it sees the query: no file but those of the log, no network, no
extension, no setting that opens any of it again, and bounds on memory, threads, time and rows. What a SELECT can do to
the files it may open is read them, and they hold nothing personal that is not encrypted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from chappe.model.errors import ExtraMissing, InvalidInput, Unavailable
from chappe.observe.audit.segments import QUERIED, StoredRecord, schema, table_of
from chappe.observe.audit.storage import AuditStorage
from chappe.records import audit

if TYPE_CHECKING:
    import duckdb
    import pyarrow

DEFAULT_ROWS_MAX = 10_000


class QueryLimits(msgspec.Struct, frozen=True):
    """Bounds on one query."""

    seconds: float = 60.0
    memory_mb: int = 1_024
    threads: int = 2
    rows: int = DEFAULT_ROWS_MAX


DEFAULT_LIMITS = QueryLimits()


class QueryResult(msgspec.Struct, frozen=True):
    """The rows of an answer. `cut_off` says that there were more than the limit."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    cut_off: bool


def query(storage: AuditStorage, sql: str, limits: QueryLimits = DEFAULT_LIMITS) -> QueryResult:
    """Run one SELECT.

    Raises `InvalidInput` for anything else and for SQL that fails, `Unavailable` if a bound is reached, `ExtraMissing`.
    """
    duckdb = _load()
    with duckdb.connect(":memory:") as connection:
        segments = storage.read(audit.segments)
        newest = [record for piece in storage.stretches(segments[-1].last + 1 if segments else 0) for record in piece]
        _open(connection, [str(storage.path_of(segment)) for segment in segments], newest, limits)
        return _run(connection, sql, limits)


def _open(
    connection: duckdb.DuckDBPyConnection, files: list[str], newest: list[StoredRecord], limits: QueryLimits
) -> None:
    connection.execute(f"SET memory_limit = '{limits.memory_mb}MB'")
    connection.execute(f"SET threads = {limits.threads}")
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("newest_records", _queried(newest))
    columns = ", ".join(f'"{name}"' for name in QUERIED)
    # A table of its own, so that nothing of Python's is looked at once the query runs.
    connection.execute("CREATE TEMP TABLE live AS SELECT * FROM newest_records")
    connection.unregister("newest_records")
    union = ""
    if files:
        quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        union = f" UNION ALL SELECT {columns} FROM read_parquet([{quoted}], hive_partitioning = false)"  # noqa: S608 (our own names)
    connection.execute(f"CREATE TEMP VIEW records AS SELECT {columns} FROM live{union}")  # noqa: S608 (our own names)
    connection.execute("CREATE TEMP VIEW decisions AS SELECT * EXCLUDE (kind) FROM records WHERE kind = 'decision'")
    if files:
        connection.execute(f"SET allowed_paths = [{quoted}]")
    for setting in (
        "SET python_enable_replacements = false",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        "SET allow_community_extensions = false",
        "SET temp_directory = ''",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(setting)


def _queried(records: list[StoredRecord]) -> pyarrow.Table:
    import pyarrow as pa

    if not records:
        return pa.Table.from_pylist([], schema=schema()).select(list(QUERIED))
    return table_of(records).select(list(QUERIED))


def _run(connection: duckdb.DuckDBPyConnection, sql: str, limits: QueryLimits) -> QueryResult:
    duckdb = _load()
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise InvalidInput(f"the query cannot be understood: {error}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InvalidInput("give exactly one SELECT statement; the audit log can only be read")
    timer = threading.Timer(limits.seconds, connection.interrupt)
    timer.start()
    try:
        connection.execute(statements[0])
        columns = tuple(column[0] for column in connection.description or ())
        rows = connection.fetchmany(limits.rows + 1)
    except duckdb.InterruptException as error:
        raise Unavailable(
            f"the query took longer than {limits.seconds:g} s; narrow it down, or give it more with --seconds"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise Unavailable(
            f"the query needs more than {limits.memory_mb} MB; narrow it down, or give it more with --memory-mb"
        ) from error
    except duckdb.Error as error:
        if "pytz" in str(error):
            raise InvalidInput("the query gives moments with a time zone; cast them: now()::TIMESTAMP") from error
        raise InvalidInput(f"the query failed: {_first_lines(str(error))}") from error
    finally:
        timer.cancel()
    return QueryResult(columns, [_in_utc(row) for row in rows[: limits.rows]], len(rows) > limits.rows)


def _in_utc(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with its moments marked as what they are."""
    return tuple(value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in row)


def _first_lines(text: str) -> str:
    return " ".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip():
            yield line.strip()


def _load() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise ExtraMissing("SQL over the audit log needs an extra: pip install 'chappe[audit]'") from error
    return duckdb
