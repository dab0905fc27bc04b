"""Statements over many rows, made once per power of two of rows.

One statement over many rows costs one step of the driver, however many rows it has (why that matters stands in the
package's docstring), and a fixed set of sizes keeps compiled SQL and prepared statements few. A write of 100 rows
becomes 64 + 32 + 4; a look-up of 100 keys is padded to 128 with the last of them. To compile a statement over 256 rows
takes 65 ms, and the first messages after a start would wait for that: where the SQL allows it, those of one and of two
rows are compiled, and the others follow from them.

Values are passed to the driver as they are: integers, text, bytes and None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Connection, Dialect, Values, bindparam, column, values
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

LARGEST_SIZE = 256
"""Rows of one statement; with 10 columns well below the 32,766 parameters of SQLite and PostgreSQL."""

Value = int | str | bytes | None
Row = tuple[Value, ...]
Binds = dict[str, BindParameter[Any]]


class ManyRows:
    """A statement built from rows of bound parameters named by `columns`.

    `build` receives one mapping of column to parameter per row. The parameters must appear in the SQL row by row in
    the order of `columns`, and no others may.
    """

    def __init__(self, columns: Sequence[str], build: Callable[[list[Binds]], ClauseElement]) -> None:
        self._columns = tuple(columns)
        self._build = build
        self._compiled: dict[tuple[str, int], tuple[str, tuple[str, ...] | None]] = {}

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run the statement over all rows."""
        start = 0
        while start < len(rows):
            size = min(_power_of_two_within(len(rows) - start), LARGEST_SIZE)
            self._run(connection, rows[start : start + size])
            start += size

    def read(self, connection: Connection, rows: Sequence[Row]) -> list[Any]:
        """Run the statement over the rows, padded by repeating the last, and fetch every result.

        Only for statements that mean the same when a row is repeated.
        """
        found: list[Any] = []
        for start in range(0, len(rows), LARGEST_SIZE):
            part = list(rows[start : start + LARGEST_SIZE])
            size = _power_of_two_within(2 * len(part) - 1)
            part.extend(part[-1:] * (size - len(part)))
            found.extend(self._run(connection, part).fetchall())
        return found

    def _run(self, connection: Connection, rows: Sequence[Row]) -> Any:
        sql, names = self._sql(connection.dialect, len(rows))
        flat = tuple(chain.from_iterable(rows))
        if names is None:
            return connection.exec_driver_sql(sql, flat)
        return connection.exec_driver_sql(sql, dict(zip(names, flat, strict=True)))

    def _sql(self, dialect: Dialect, size: int) -> tuple[str, tuple[str, ...] | None]:
        """The SQL, and the names of its parameters for a driver that takes them by name."""
        compiled = self._compiled.get((dialect.driver, size))
        if compiled is None:
            grows = size > 2 and dialect.paramstyle == "qmark"
            compiled = self._grown(dialect, size) if grows else self._compile(dialect, size)
            self._compiled[dialect.driver, size] = compiled
        return compiled

    def _grown(self, dialect: Dialect, size: int) -> tuple[str, None]:
        """What `_compile` makes, for SQL in which parameters have neither names nor numbers."""
        (one, _), (two, _) = self._sql(dialect, 1), self._sql(dialect, 2)
        place = next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(one))
        row = two[place : place + len(two) - len(one)]
        assert one[:place] + row + one[place:] == two, "more than a repetition of the row"
        return one[:place] + row * (size - 1) + one[place:], None

    def _compile(self, dialect: Dialect, size: int) -> tuple[str, tuple[str, ...] | None]:
        names = tuple(f"{column}_{number}" for number in range(size) for column in self._columns)
        binds = iter(names)
        rows: list[Binds] = [{column: bindparam(next(binds)) for column in self._columns} for _ in range(size)]
        compiled = self._build(rows).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        if compiled.positional:
            assert tuple(compiled.positiontup or ()) == names, "parameters out of order"
            return str(compiled), None
        assert set(compiled.params) == set(names), "parameters differ"
        return str(compiled), names


def bound_values(name: str, rows: list[Binds], types: dict[str, TypeEngine[Any]]) -> Values:
    """The rows as a VALUES list with columns of these types."""
    return values(*(column(column_name, kind) for column_name, kind in types.items()), name=name).data(
        [tuple(row[column_name] for column_name in types) for row in rows]
    )


def one_column(values: Iterable[Value]) -> list[Row]:
    """Rows of one value each."""
    return [(value,) for value in values]


def _power_of_two_within(count: int) -> int:
    return 1 << (count.bit_length() - 1)
