from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, insert, select
from sqlalchemy.dialects.postgresql import asyncpg, psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as SQLite

from chappe import records
from chappe.records.commit import Bulk
from chappe.records.statements import LARGEST_SIZE, ManyRows, one_column

table = Table("numbers", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text))
INSERT = ManyRows(["id", "name"], lambda rows: insert(table).values(rows))
FIND = ManyRows(["id"], lambda rows: select(table).where(table.c.id.in_([row["id"] for row in rows])))


@given(st.integers(0, 3 * LARGEST_SIZE + 1), st.sets(st.integers(0, 2_000), max_size=2 * LARGEST_SIZE))
def test_any_number_of_rows_is_written_and_found(count: int, wanted: set[int]) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.metadata.create_all(connection)
        INSERT.write(connection, [(number, f"n{number}") for number in range(count)])
        assert len(connection.execute(select(table)).all()) == count
        found = {row.id for row in FIND.read(connection, one_column(sorted(wanted)))}
    assert found == {number for number in wanted if number < count}
    engine.dispose()


def bulk_statements() -> list[ManyRows]:
    """Those of every module of the records."""
    modules = [import_module(found.name) for found in walk_packages(records.__path__, f"{records.__name__}.")]
    values = [value for module in modules for value in vars(module).values()]
    statements = [value.statement if isinstance(value, Bulk) else value for value in values]
    return list({id(found): found for found in statements if isinstance(found, ManyRows)}.values())


@pytest.mark.parametrize("dialect", [asyncpg.dialect(), psycopg.dialect()], ids=["asyncpg", "psycopg"])
@pytest.mark.parametrize("size", [1, 4])
def test_every_bulk_statement_is_portable_to_postgresql(dialect: Any, size: int) -> None:
    for statement in bulk_statements():
        sql, _ = statement._sql(dialect, size)
        assert "group_concat" not in sql


@pytest.mark.parametrize("size", [4, 8, LARGEST_SIZE])
def test_statements_over_more_rows_are_what_the_compiler_makes_of_them(size: int) -> None:
    found = bulk_statements()
    assert len(found) >= 15
    for statement in found:
        assert statement._sql(SQLite(), size) == statement._compile(SQLite(), size)


def test_parameters_out_of_order_are_noticed() -> None:
    swapped = ManyRows(["name", "id"], lambda rows: insert(table).values(rows))
    engine = create_engine("sqlite://")
    with engine.begin() as connection, pytest.raises(AssertionError, match="out of order"):
        swapped.write(connection, [("n", 1)])
    engine.dispose()
