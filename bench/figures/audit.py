"""(o) The audit log: appending with hashes and without, verifying, and SQL over millions of generated decisions."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, insert

from bench.figure import Figure, Settings, Target, median
from bench.generated_decisions import decided, generate, message_id
from bench.servers import data_folder
from chappe.observe.audit.checking import verify
from chappe.observe.audit.checkpoints import Checkpointer
from chappe.observe.audit.querying import QueryLimits, query
from chappe.observe.audit.sealing import SEGMENT_RECORDS, Sealer
from chappe.observe.audit.storage import AuditStorage
from chappe.records.audit_pages import Entry
from chappe.records.audit_tables import audit_pages
from chappe.records.store import Records

PER_COMMIT = 300
QUERY_SECONDS_MAX = 1.0
QUERIES = {
    "blocks by jurisdiction": "SELECT jurisdiction, count(*) FROM decisions WHERE outcome = 'block' GROUP BY 1",
    "one day's outcomes by channel": (
        "SELECT channel, outcome, count(*) FROM decisions"
        " WHERE decided_at >= '2026-01-10' AND decided_at < '2026-01-11' GROUP BY ALL"
    ),
    "one message": "SELECT decided_at, stage, outcome FROM decisions WHERE message = '{message}'",
}


def run(settings: Settings) -> Figure:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # there is no server to leave a core to
    figure = Figure("o", "The audit log: append, verify, ask")
    with data_folder(settings.folder) as folder:
        folder.mkdir(parents=True, exist_ok=True)
        figure.rows += asyncio.run(_appending(folder / "append", settings))
    with data_folder(settings.folder) as folder:
        folder.mkdir(parents=True, exist_ok=True)
        _asking(figure, folder, settings)
    figure.notes.append("plain: the same bytes in the same rows and commits, without hashes; both synced to disk")
    figure.notes.append("generated decisions have three rules each, one record in 200 is blocked; the files are read")
    figure.notes.append("once before, so that the disk's speed is not measured; two threads, 1 GB at most")
    return figure


def _row(
    what: str, records: int, per_second: object = "", cpu: object = "", seconds: object = "", gigabytes: object = ""
) -> dict[str, object]:
    return {
        "what": what,
        "records": records,
        "records/s": per_second,
        "CPU us/record": cpu,
        "seconds": seconds,
        "GB on disk": gigabytes,
    }


async def _appending(folder: Path, settings: Settings) -> list[dict[str, object]]:
    count = 60_000 if settings.quick else 300_000
    entries = [decided(number) for number in range(count)]
    rows: list[dict[str, object]] = []
    for name, append in (("chained", _append_chained), ("plain", _append_plain)):
        rates, cpu = [], []
        for _ in range(settings.rounds):
            _empty(folder)
            records = await Records.open(folder, now_ms=lambda: int(time.time() * 1000))
            begun, cpu_before = time.perf_counter(), time.process_time()
            await append(records, entries)
            rates.append(count / (time.perf_counter() - begun))
            cpu.append((time.process_time() - cpu_before) * 1e6 / count)
            if name == "plain":
                await records.close()
                continue
            key = Ed25519PrivateKey.generate()
            await Checkpointer(records.audit, key, folder, lambda: 0).sign()
            verified = _verify_rate(folder, key, count)
            sealed = await _seal_rate(records, folder)
            await records.close()
            verified_files = _verify_rate(folder, key, count)
        rows.append(_row(f"append, {name}", count, per_second=median(rates), cpu=median(cpu)))
    rows.append(_row("verify, in pages", count, per_second=verified))
    rows.append(_row("seal", count, per_second=sealed))
    rows.append(_row("verify, in files", count, per_second=verified_files))
    return rows


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


async def _seal_rate(records: Records, folder: Path) -> float:
    sealer = Sealer(records.audit, folder, lambda: 0, segment_records=count_of_segment(folder))
    begun = time.perf_counter()
    segment = await sealer.seal_next()
    if segment is None:
        raise RuntimeError("nothing was sealed")
    return (segment.last - segment.first + 1) / (time.perf_counter() - begun)


def count_of_segment(folder: Path) -> int:
    """All records but those of the newest pages."""
    with AuditStorage(folder) as storage:
        return min(storage.size() - 2 * PER_COMMIT, SEGMENT_RECORDS)


async def _append_chained(records: Records, entries: list[Entry]) -> None:
    for start in range(0, len(entries), PER_COMMIT):
        await records.audit.append(entries[start : start + PER_COMMIT])


async def _append_plain(records: Records, entries: list[Entry]) -> None:
    """One row per commit as well, of the same bytes."""
    for start in range(0, len(entries), PER_COMMIT):
        some = entries[start : start + PER_COMMIT]
        row = {
            "first": start,
            "count": len(some),
            "recorded_at_ms": some[-1].at_ms,
            "oldest_message": 0,
            "newest_message": 0,
            "head": b"",
            "hashes": b"",
            "open_parts": b"".join(entry.open_part for entry in some),
            "personal_parts": b"".join(entry.personal_part for entry in some),
        }

        def add(connection: Connection, row: dict[str, object] = row) -> None:
            connection.execute(insert(audit_pages), row)

        await records._commits.run(add, urgent=False)


def _verify_rate(folder: Path, key: Ed25519PrivateKey, count: int) -> float:
    with AuditStorage(folder) as storage:
        begun = time.perf_counter()
        verification = verify(storage, key.public_key())
        seconds = time.perf_counter() - begun
    if not verification.sound or verification.records != count:
        raise RuntimeError(f"the log is not what was written: {verification}")
    return count / seconds


def _asking(figure: Figure, folder: Path, settings: Settings) -> None:
    count = 5_000_000 if settings.quick else 50_000_000
    generate(folder, count)
    sizes = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    with AuditStorage(folder) as storage:
        for name, sql in QUERIES.items():
            asked = sql.format(message=message_id(count // 3))
            seconds = median(list(_times(storage, asked, settings.rounds)))
            figure.rows.append(_row(name, count, seconds=seconds, gigabytes=sizes / 1e9))
            figure.targets.append(
                Target(f"{name}, over {count:,} records: seconds", QUERY_SECONDS_MAX, seconds, at_most=True)
            )


def _times(storage: AuditStorage, sql: str, rounds: int) -> Iterator[float]:
    query(storage, sql, QueryLimits())
    for _ in range(rounds):
        begun = time.perf_counter()
        result = query(storage, sql, QueryLimits())
        if not result.rows:
            raise RuntimeError(f"nothing was found: {sql}")
        yield time.perf_counter() - begun
