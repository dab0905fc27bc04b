"""What the database's errors mean in the words of the project."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from chappe.model.errors import ChappeError, DataDamaged, StorageFailed, StorageFull

_FULL = (sqlite3.SQLITE_FULL,)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def storage_error(error: DBAPIError) -> ChappeError:
    """The error to raise in place of a driver's."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL:
        return StorageFull("The disk that holds the records is full; free some room and try again.")
    if code in _DAMAGED:
        return DataDamaged(f"The records are damaged ({error.orig}); restore the data folder from a backup.")
    return StorageFailed(f"The records could not be written or read: {error.orig}.")


def concerns_one_write(error: DBAPIError) -> bool:
    """Whether the failure may be the fault of one write among several in a transaction, not of the storage."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_ERROR)
