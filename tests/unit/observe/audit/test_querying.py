"""SQL over the log: files and pages alike, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.pipeline.house import House

from chappe.model.errors import InvalidInput, Unavailable
from chappe.observe.audit.querying import QueryLimits, query
from chappe.observe.audit.storage import AuditStorage


def ask(folder: Path, sql: str, limits: QueryLimits | None = None) -> list[tuple[object, ...]]:
    with AuditStorage(folder) as storage:
        return query(storage, sql, limits or QueryLimits()).rows


def only_file(folder: Path) -> tuple[Path, bytes]:
    (path,) = folder.rglob("*.parquet")
    return path, path.read_bytes()


BY_OUTCOME = "SELECT stage, outcome, count(*) FROM decisions GROUP BY ALL ORDER BY ALL"
ALL = [("attempt", "allow", 3), ("intake", "allow", 3), ("intake", "block", 1)]


async def test_pages_and_files_are_one_table(home: House, tmp_path: Path) -> None:
    assert ask(tmp_path, BY_OUTCOME) == ALL
    home.clock.now_ms += 86_400_000
    assert await home.audit.sealer.seal_next() is not None
    assert ask(tmp_path, BY_OUTCOME) == ALL


async def test_rules_can_be_asked_about(home: House, tmp_path: Path) -> None:
    sql = """
        SELECT rule.id FROM (SELECT unnest(rules) AS rule FROM decisions WHERE outcome = 'block')
        WHERE rule.outcome = 'block' AND rule.reason IS NOT NULL
    """
    assert ask(tmp_path, sql)


async def test_records_tell_also_what_is_no_decision(home: House, tmp_path: Path) -> None:
    await home.audit.hold("DE", "claim")
    assert ask(tmp_path, "SELECT kind, count(*) FROM records GROUP BY kind ORDER BY kind") == [
        ("decision", 7),
        ("hold", 1),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "COPY decisions TO 'audit-test.csv'",
        "ATTACH 'audit-test.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "PRAGMA enable_profiling",
        "CREATE TABLE mine AS SELECT 1",
        "DROP VIEW decisions",
        "DELETE FROM live",
        "CALL pragma_version()",
        "EXPORT DATABASE 'audit-test'",
        "SELECT 1; SELECT 2",
        "SELECT nothing FROM decisions",
        "",
        "not SQL",
    ],
)
async def test_anything_but_a_question_to_the_log_is_refused(home: House, tmp_path: Path, sql: str) -> None:
    with pytest.raises(InvalidInput):
        ask(tmp_path, sql)


async def test_what_python_holds_cannot_be_asked_about(home: House, tmp_path: Path) -> None:
    secret = [1]
    with pytest.raises(InvalidInput):
        ask(tmp_path, "SELECT * FROM secret")
    assert secret


async def test_a_file_of_the_log_cannot_be_written(home: House, tmp_path: Path) -> None:
    home.clock.now_ms += 86_400_000
    await home.audit.sealer.seal_next()
    path, before = only_file(tmp_path)
    with pytest.raises(InvalidInput):
        ask(tmp_path, f"COPY (SELECT 1) TO '{path}'")
    assert only_file(tmp_path) == (path, before)


async def test_a_query_is_bounded_in_time(home: House, tmp_path: Path) -> None:
    endless = "SELECT count(*) FROM range(1000000000000) a WHERE hash(a.range) = 1"
    with pytest.raises(Unavailable, match=r"longer than 0\.2 s"):
        ask(tmp_path, endless, QueryLimits(seconds=0.2))


async def test_a_query_is_bounded_in_memory(home: House, tmp_path: Path) -> None:
    greedy = "SELECT count(*) FROM (SELECT DISTINCT a.range::VARCHAR || repeat('x', 200) FROM range(20000000) a)"
    with pytest.raises(Unavailable, match="more than 64 MB"):
        ask(tmp_path, greedy, QueryLimits(memory_mb=64))


async def test_an_answer_is_bounded_in_rows(home: House, tmp_path: Path) -> None:
    with AuditStorage(tmp_path) as storage:
        result = query(storage, "SELECT number FROM decisions ORDER BY number", QueryLimits(rows=3))
    assert [row[0] for row in result.rows] == [0, 1, 2]
    assert result.cut_off


async def test_moments_are_in_utc(home: House, tmp_path: Path) -> None:
    ((decided_at,),) = ask(tmp_path, "SELECT max(decided_at) FROM decisions WHERE decided_at > '2026-03-02'")
    assert str(decided_at).startswith("2026-03-02 12:0")
    assert str(decided_at).endswith("+00:00")
    with pytest.raises(InvalidInput, match="::TIMESTAMP"):
        ask(tmp_path, "SELECT now()")
