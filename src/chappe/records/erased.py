"""Addresses of people who were erased: nothing is left of them but a keyed digest, by which they stay suppressed.

Without the key (it is derived from the server's secret and not in the database) nobody can tell whether an address is
among them, not even by trying all telephone numbers.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from chappe.records.commit import GroupCommit
from chappe.records.news import News
from chappe.records.people import SuppressionRecord
from chappe.records.profile_tables import erased_addresses
from chappe.records.reading import Readers
from chappe.records.recipients import parse_recipient
from chappe.records.statements import ManyRows, Row

REASON = "erased at the person's request"
_BY_DIGEST = ManyRows(
    ["digest"],
    lambda rows: select(erased_addresses).where(erased_addresses.c.digest.in_([row["digest"] for row in rows])),
)


class ErasedAddresses:
    """The digests of a database. `anybody` says whether there may be any: without, nothing is looked up."""

    def __init__(self, commits: GroupCommit, readers: Readers, news: News) -> None:
        self._commits = commits
        self._readers = readers
        self._news = news
        self._key = b""
        self.anybody = True

    def use_key(self, key: bytes) -> None:
        """Make digests with this key from now on: before anything is looked up, and always the same."""
        self._key = key

    async def start(self) -> None:
        """See whether there are any."""
        query = select(erased_addresses.c.id).limit(1)
        self.anybody = await self._readers.read(lambda c: c.execute(query).first() is not None)

    def digest(self, text: str) -> bytes:
        """The digest of an address as `recipient_text` writes it, or of another name of a person."""
        return hmac.digest(self._key, text.encode(), hashlib.sha256)

    def suppressions(self, connection: Connection, recipients: Sequence[Row]) -> dict[str, SuppressionRecord]:
        """The suppressions of those among these who were erased. Runs in a reader's thread."""
        if not self.anybody or not recipients:
            return {}
        by_digest = {self.digest(str(recipient)): str(recipient) for (recipient,) in recipients}
        found = {}
        for digest, key, reason, created_at_ms in _BY_DIGEST.read(connection, [(digest,) for digest in by_digest]):
            to = parse_recipient(by_digest[digest])
            found[by_digest[digest]] = SuppressionRecord(key, to, None, None, reason, created_at_ms)
        return found

    async def find(self, recipient: str) -> SuppressionRecord | None:
        """The suppression of an address, if its owner was erased."""
        found = await self._readers.read(lambda connection: self.suppressions(connection, [(recipient,)]))
        return found.get(recipient)

    def add(self, connection: Connection, recipient: str, key: int, at_ms: int) -> None:
        """Keep an address suppressed by its digest alone."""
        digest = self.digest(recipient)
        same = erased_addresses.c.digest == digest
        if connection.execute(select(erased_addresses.c.id).where(same)).first() is None:
            values = {"digest": digest, "id": key, "reason": REASON, "created_at_ms": at_ms}
            connection.execute(insert(erased_addresses), values)
