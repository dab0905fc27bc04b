from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, insert, select
from sqlalchemy.dialects.postgresql import asyncpg, psycopg

from chappe.records import idempotency, knowledge, messages
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


@pytest.mark.parametrize("dialect", [asyncpg.dialect(), psycopg.dialect()], ids=["asyncpg", "psycopg"])
@pytest.mark.parametrize("size", [1, 4])
def test_every_bulk_statement_is_portable_to_postgresql(dialect: object, size: int) -> None:
    found = [
        value
        for module in (messages, knowledge, idempotency)
        for value in vars(module).values()
        if isinstance(value, ManyRows)
    ]
    found += [value.statement for value in vars(messages).values() if isinstance(value, messages.Bulk)]
    found += [value.statement for value in vars(idempotency).values() if isinstance(value, idempotency.Bulk)]
    assert len(found) >= 8
    for statement in found:
        sql, _ = statement._sql(dialect, size)  # type: ignore[arg-type]
        assert "group_concat" not in sql


def test_parameters_out_of_order_are_noticed() -> None:
    swapped = ManyRows(["name", "id"], lambda rows: insert(table).values(rows))
    engine = create_engine("sqlite://")
    with engine.begin() as connection, pytest.raises(AssertionError, match="out of order"):
        swapped.write(connection, [("n", 1)])
    engine.dispose()
