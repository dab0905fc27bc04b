"""A copy of everything about a person: a zip of JSON files, with a manifest of their hashes."""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import msgspec

from chappe.observe.audit.finding import DecisionFilter
from chappe.observe.audit.log import AuditLog
from chappe.observe.audit.recording import with_full_reasons
from chappe.records import ids
from chappe.records.data_requests import DataRequest
from chappe.records.messages import Filter
from chappe.records.recipients import parse_recipient
from chappe.records.store import Records

_PAGE = 200
_DECISIONS = 100
_CHUNK_BYTES = 1 << 20
_NOTE = "Moments are in UTC (RFC 3339). Each list is one JSON array; entries are oldest or newest first as noted."


class Written(msgspec.Struct, frozen=True):
    """A file of the package."""

    name: str
    entries: int
    size_bytes: int
    sha256: str


class _Writer:
    """Writes JSON arrays into a zip, entry by entry. All methods block."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
        self._member: IO[bytes] | None = None
        self.files: list[Written] = []

    def write(self, name: str, content: bytes, entries: int) -> None:
        self._zip.writestr(name, content)
        self.files.append(Written(name, entries, len(content), sha256(content).hexdigest()))

    def begin(self, name: str) -> None:
        self._name, self._entries, self._size = name, 0, 0
        self._hash = sha256()
        self._member = self._zip.open(name, "w")

    def add(self, documents: list[Any]) -> None:
        for document in documents:
            self._put((b",\n" if self._entries else b"[\n") + msgspec.json.encode(document))
            self._entries += 1

    def end(self) -> None:
        self._put(b"\n]\n" if self._entries else b"[]\n")
        assert self._member is not None
        self._member.close()
        self._member = None
        self.files.append(Written(self._name, self._entries, self._size, self._hash.hexdigest()))

    def close(self) -> None:
        """Make the file durable; one that was cut off in the middle of a list stays incomplete."""
        if self._file.closed:
            return
        if self._member is not None:
            self._member.close()
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _put(self, content: bytes) -> None:
        assert self._member is not None
        self._member.write(content)
        self._hash.update(content)
        self._size += len(content)


async def write_package(
    records: Records, audit: AuditLog, request: DataRequest, path: Path, now_ms: int
) -> list[Written]:
    """Write the package of a request; what is in it. A file that is there already is written anew."""
    writer = _Writer(path)
    # One thread, so that a copy that is cut off closes its file after whatever it is writing.
    with ThreadPoolExecutor(1, "data request") as thread:
        in_thread = partial(asyncio.get_running_loop().run_in_executor, thread)
        try:
            person = await _person(records, request)
            await in_thread(writer.write, "person.json", msgspec.json.format(msgspec.json.encode(person)), 1)
            for name, pages in (
                ("consents.json", _consents(records, request)),
                ("suppressions.json", _suppressions(records, request)),
                ("opt_outs.json", _opt_outs(records, request)),
                ("inbound.json", _inbound(records, request)),
                ("messages.json", _messages(records, request)),
                ("decisions.json", _decisions(audit, request)),
            ):
                await in_thread(writer.begin, name)
                async for page in pages:
                    await in_thread(writer.add, page)
                await in_thread(writer.end)
            await in_thread(writer.write, "manifest.json", _manifest(request, writer.files, now_ms), len(writer.files))
            await in_thread(writer.close)
        finally:
            thread.submit(writer.close)
    return writer.files


def _manifest(request: DataRequest, files: list[Written], now_ms: int) -> bytes:
    manifest = {
        "request": ids.key_text(ids.DATA_REQUEST, request.key),
        "made_at": readable({"at_ms": now_ms})["at"],
        "addresses": list(request.subject.recipients),
        "note": _NOTE,
        "files": files,
    }
    return msgspec.json.format(msgspec.json.encode(manifest))


def hash_of_file(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file, and its size. Blocks."""
    digest, size_bytes = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
    return digest.hexdigest(), size_bytes


def readable(document: Any) -> Any:
    """The same with moments as people write them: `..._at_ms` becomes `..._at`."""
    if isinstance(document, dict):
        return dict(_readable_entry(name, value) for name, value in document.items())
    if isinstance(document, list | tuple):
        return [readable(entry) for entry in document]
    return document


def _readable_entry(name: str, value: Any) -> tuple[str, Any]:
    if name.endswith("_ms") and isinstance(value, int):
        return name.removesuffix("_ms"), datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    if name.endswith("_at_ms") and isinstance(value, list):
        return name.removesuffix("_ms"), [_readable_entry(name, entry)[1] for entry in value]
    return name, readable(value)


def _plain(record: Any, prefix: str) -> dict[str, Any]:
    document: dict[str, Any] = readable(msgspec.to_builtins(record))
    return {"id": ids.key_text(prefix, document.pop("key")), **document}


async def _person(records: Records, request: DataRequest) -> dict[str, Any]:
    found = None
    if request.subject.person is not None:
        found = await records.profiles.find(request.subject.person)
    document: dict[str, Any] = {"addresses": list(request.subject.recipients)}
    if found is not None:
        document |= _plain(found, ids.PERSON) | {"id": found.id, "addresses": list(request.subject.recipients)}
    return document


async def _consents(records: Records, request: DataRequest) -> AsyncIterator[list[Any]]:
    for recipient in request.subject.recipients:
        before: int | None = None
        while page := await records.people.list_consents(parse_recipient(recipient), before, _PAGE):
            yield [_plain(record, ids.CONSENT) for record in page]
            before = page[-1].key


async def _suppressions(records: Records, request: DataRequest) -> AsyncIterator[list[Any]]:
    for recipient in request.subject.recipients:
        before: int | None = None
        while page := await records.people.list_suppressions(parse_recipient(recipient), before, _PAGE):
            yield [_plain(record, ids.SUPPRESSION) for record in page]
            before = page[-1].key


async def _opt_outs(records: Records, request: DataRequest) -> AsyncIterator[list[Any]]:
    for recipient in request.subject.recipients:
        before: int | None = None
        while page := await records.opt_outs.page(parse_recipient(recipient), before, _PAGE):
            yield [_plain(record, ids.OPT_OUT) for record in page]
            before = page[-1].key


async def _inbound(records: Records, request: DataRequest) -> AsyncIterator[list[Any]]:
    for recipient in request.subject.recipients:
        before: int | None = None
        while page := await records.inbound.page(parse_recipient(recipient), before, _PAGE):
            yield [_plain(record, ids.INBOUND) for record in page]
            before = page[-1].key


async def _messages(records: Records, request: DataRequest) -> AsyncIterator[list[Any]]:
    for recipient in request.subject.recipients:
        before: int | None = None
        while page := await records.messages.find(Filter(recipient=recipient, before_key=before), _PAGE):
            stored = await records.messages.get_many([summary.key for summary in page])
            yield [
                {
                    **readable(msgspec.to_builtins(entry.message)),
                    "status": entry.summary.status.value,
                    "attempts": entry.summary.attempts,
                    "timeline": readable(msgspec.to_builtins(entry.summary.events)),
                }
                for entry in stored
            ]
            before = page[-1].key


async def _decisions(audit: AuditLog, request: DataRequest) -> AsyncIterator[list[Any]]:
    for recipient in request.subject.recipients:
        before: int | None = None
        while True:
            found = await audit.find(DecisionFilter(recipient=recipient, before_number=before), _DECISIONS)
            page = []
            for decision in found.decisions:
                personal = await audit.personal(decision)
                record = decision.record
                if personal is not None:
                    full = with_full_reasons(record.decision, personal.reasons)
                    record = msgspec.structs.replace(record, decision=full)
                document = readable(msgspec.to_builtins(record))
                document.pop("person", None)
                if personal is not None:
                    document["facts"] = readable(msgspec.json.decode(personal.facts))
                page.append({"number": decision.number, **document})
            yield page
            if found.next_before is None:
                break
            before = found.next_before
