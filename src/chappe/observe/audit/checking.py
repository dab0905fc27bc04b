"""Verifying the log: that no record was changed, dropped, inserted or moved, and that none is missing at the end.

What can be told without trusting the folder: everything up to the last checkpoint in a copy kept elsewhere. Whoever has
the folder has the key too and can sign a log made anew; against the copy it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chappe.model.errors import ExtraMissing
from chappe.observe.audit.checkpoints import checkpoint_of, read_file
from chappe.observe.audit.merkle import Frontier
from chappe.observe.audit.notes import Checkpoint, is_signed_by, key_name
from chappe.observe.audit.record import RetentionRecord, decode_open
from chappe.observe.audit.segments import StoredRecord, columns_of, read_rows
from chappe.observe.audit.storage import CHECKPOINTS_FILE, AuditStorage
from chappe.records import audit, ids
from chappe.records.audit import Segment
from chappe.records.audit_pages import GENESIS, digest_of, link, page_of

if TYPE_CHECKING:
    import pyarrow

FINDINGS_MAX = 20
Progress = Callable[[int, int], None]
"""Called with how many records were checked, and of how many."""


class AuditFinding(msgspec.Struct, frozen=True):
    """Something wrong. `number` is the record at which it shows, the first of a range if no single one can be told."""

    number: int
    what: str


class Verification(msgspec.Struct, frozen=True):
    """What was checked and found. `signed` is how many records the last sound checkpoint covers."""

    records: int
    dropped: int
    checkpoints: int
    signed: int
    head: str
    findings: tuple[AuditFinding, ...]

    @property
    def first_bad(self) -> int | None:
        """The lowest number among the findings."""
        return min((finding.number for finding in self.findings), default=None)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class _TooMany(Exception):
    """There are more findings than anybody reads."""


class _Findings:
    def __init__(self) -> None:
        self.found: list[AuditFinding] = []

    def add(self, number: int, what: str) -> None:
        self.found.append(AuditFinding(number, what))
        if len(self.found) >= FINDINGS_MAX:
            raise _TooMany


class _Chain:
    """Walks along the chain, and grows the tree beside it."""

    def __init__(self, findings: _Findings, number: int = 0, previous: bytes | None = GENESIS) -> None:
        self.number = number
        self.previous = previous
        self.dropped = 0
        self.unbroken_until = ids.LARGEST
        self.retention: dict[tuple[int, int], RetentionRecord] = {}
        self._findings = findings

    def follow(self, record: StoredRecord) -> None:
        """The next record, as it is stored."""
        if record.number != self.number:
            what = "is missing" if record.number > self.number else "comes twice"
            self._break(min(self.number, record.number), f"record {min(self.number, record.number)} {what}")
            self.previous = None
        if record.open_part is None or record.personal_part is None:
            self.dropped += 1
        else:
            self._check(record, record.open_part, record.personal_part)
        self.number, self.previous = record.number + 1, record.hash

    def _break(self, number: int, what: str) -> None:
        self.unbroken_until = min(self.unbroken_until, number)
        self._findings.add(number, what)

    def _check(self, record: StoredRecord, open_part: bytes, personal_part: bytes) -> None:
        if self.previous is not None and link(self.previous, digest_of(open_part, personal_part)) != record.hash:
            self._break(
                record.number,
                f"record {record.number} was changed, or is not the one that followed record {record.number - 1}",
            )
        if b'"retention"' in open_part:
            said = decode_open(open_part)
            if isinstance(said, RetentionRecord):
                self.retention[said.first, said.last] = said


class _Signed:
    """Compares the growing tree with the checkpoints as it comes past them."""

    def __init__(self, checkpoints: Iterable[Checkpoint], key: Ed25519PublicKey, findings: _Findings) -> None:
        self.count = 0
        self.covered = 0
        self._findings = findings
        self._frontier = Frontier()
        self._bad_from: int | None = None
        self._expected: dict[int, list[Checkpoint]] = {}
        for checkpoint in sorted(set(checkpoints), key=lambda c: c.size):
            self.count += 1
            if is_signed_by(checkpoint, key):
                self._expected.setdefault(checkpoint.size, []).append(checkpoint)
            else:
                signer = "another key" if checkpoint.name != key_name(key) else "nobody: the signature is wrong"
                self._findings.add(
                    max(checkpoint.size - 1, 0), f"the checkpoint over {checkpoint.size} records was signed by {signer}"
                )

    def grow(self, hashes: Sequence[bytes]) -> None:
        """The next leaves."""
        start = 0
        while start < len(hashes):
            size = self._frontier.size
            until = min((s for s in self._ahead(size) if s <= size + len(hashes) - start), default=None)
            end = len(hashes) if until is None else start + until - size
            self._frontier.extend(hashes[start:end])
            start = end
            self._compare()

    def _ahead(self, size: int) -> Iterator[int]:
        return (expected for expected in self._expected if expected > size)

    def _compare(self) -> None:
        for checkpoint in self._expected.pop(self._frontier.size, ()):
            if checkpoint.root == self._frontier.root:
                self.covered = checkpoint.size
            elif self._bad_from is None:
                self._bad_from = self.covered
                self._findings.add(
                    self.covered,
                    f"records {self.covered} to {checkpoint.size - 1} are not those that were signed: at least one of"
                    " them was changed, dropped, inserted or moved, and the hashes after it made anew",
                )

    def end(self, size: int) -> None:
        """The log has come to its end, after so many records."""
        beyond = [expected for expected in self._expected if expected > size]
        if beyond:
            self._findings.add(
                size, f"the log ends after {size} records, and {max(beyond)} were signed: its end was cut off"
            )


def verify(
    storage: AuditStorage,
    key: Ed25519PublicKey,
    *,
    more_checkpoints: Iterable[Checkpoint] = (),
    progress: Progress = lambda done, total: None,
) -> Verification:
    """Check every record, file and checkpoint. Memory is bounded; time is in proportion to the log.

    `more_checkpoints` are those of a copy kept elsewhere. Raises `ExtraMissing` if files cannot be read here.
    """
    findings = _Findings()
    chain, dropped = _Chain(findings), _Dropped()
    signed: _Signed | None = None
    try:
        signed = _Signed([*_checkpoints(storage, findings), *more_checkpoints], key, findings)
        for records in _pieces(storage, findings, dropped):
            for record in records:
                chain.follow(record)
            # Behind a break the tree differs as well, which tells nothing more.
            signed.grow([record.hash for record in records if record.number < chain.unbroken_until])
            progress(chain.number, max(storage.size(), chain.number))
        signed.end(chain.number)
        dropped.compare(storage.read(audit.segments), chain.retention, findings)
    except _TooMany:
        pass
    return Verification(
        records=chain.number,
        dropped=chain.dropped,
        checkpoints=signed.count if signed else 0,
        signed=signed.covered if signed else 0,
        head=(chain.previous or b"").hex(),
        findings=tuple(sorted(findings.found, key=lambda finding: finding.number)),
    )


def verify_quickly(storage: AuditStorage, key: Ed25519PublicKey | None) -> Verification:
    """Check what can be without reading older records: the newest ones, that no file is missing, and what was signed
    last.
    """
    findings = _Findings()
    segments = storage.read(audit.segments)
    first = segments[-1].last + 1 if segments else 0
    chain = _Chain(findings, first, storage.hash_before(first))
    checkpoints: list[Checkpoint] = []
    try:
        _check_files(storage, segments, findings)
        checkpoints = _checkpoints(storage, findings)
        for records in _page_pieces(storage, first, findings):
            for record in records:
                chain.follow(record)
        newest = max(checkpoints, key=lambda c: c.size, default=None)
        if newest is not None and newest.size > chain.number:
            findings.add(
                chain.number, f"the log ends after {chain.number} records, and {newest.size} were signed: restore it"
            )
        if newest is not None and key is not None and not is_signed_by(newest, key):
            findings.add(newest.size - 1, "the newest checkpoint was not signed by this folder's key")
    except _TooMany:
        pass
    return Verification(
        chain.number, 0, len(checkpoints), max((c.size for c in checkpoints), default=0), "", tuple(findings.found)
    )


def _checkpoints(storage: AuditStorage, findings: _Findings) -> list[Checkpoint]:
    """Those of the database and those of the file, which may have more: the database may be an older copy."""
    stored = [checkpoint_of(checkpoint) for checkpoint in storage.read(audit.checkpoints)]
    try:
        written = read_file(storage.folder / CHECKPOINTS_FILE)
    except (ValueError, OSError) as error:
        findings.add(0, f"the file of checkpoints cannot be read: {error}")
        written = []
    return list({*stored, *written})


def _check_files(storage: AuditStorage, segments: Sequence[Segment], findings: _Findings) -> None:
    number = 0
    for segment in segments:
        if segment.first != number:
            findings.add(number, f"records {number} to {segment.first - 1} are in no file")
        if not storage.path_of(segment).exists():
            findings.add(segment.first, f"the file {segment.file} is missing")
        number = segment.last + 1


def _pieces(storage: AuditStorage, findings: _Findings, dropped: _Dropped) -> Iterator[list[StoredRecord]]:
    """Every record there is, in order, whatever could not be read left out and reported."""
    number = 0
    while True:
        segment = storage.read(partial(_file_from, number=number))
        if segment is None:
            break
        number = max(segment.last + 1, number + 1)
        try:
            for batch, records in read_rows(storage.path_of(segment)):
                _compare_columns(batch, records, findings)
                dropped.note(segment, records)
                yield records
        except ExtraMissing:
            raise
        except (OSError, ValueError) as error:
            again = storage.read(partial(audit.segment_holding, number=segment.first))
            if again is not None and again.file != segment.file:
                number = segment.first  # written anew meanwhile
                continue
            findings.add(segment.first, f"{segment.file}, from record {segment.first} on, cannot be read: {error}")
    yield from _page_pieces(storage, number, findings)


def _file_from(connection: Any, number: int) -> Segment | None:
    """The file that holds a record or, if none does, the next one."""
    return next((s for s in audit.segments(connection) if s.last >= number), None)


def _page_pieces(storage: AuditStorage, number: int, findings: _Findings) -> Iterator[list[StoredRecord]]:
    while rows := storage.read(partial(audit.page_rows, first=number, limit=64)):
        for row in rows:
            try:
                page = page_of(row)
            except ValueError as error:
                findings.add(row.first, f"the page of record {row.first} {error}")
            else:
                if page.hashes and page.head != page.hashes[-1]:
                    findings.add(page.first, f"the page of record {page.first} does not end with its last hash")
                values = zip(page.hashes, page.open_parts, page.personal_parts, strict=True)
                yield [
                    StoredRecord(page.first + place, digest, page.recorded_at_ms, open_part, personal_part)
                    for place, (digest, open_part, personal_part) in enumerate(values)
                ]
            number = row.first + max(row.count, 1)


def _compare_columns(batch: pyarrow.RecordBatch, records: Sequence[StoredRecord], findings: _Findings) -> None:
    """That the columns say what the records say: they are what people are shown."""
    import pyarrow as pa

    shown: dict[str, list[Any]] = {}
    for name in _COMPARED:
        column = batch.column(name)
        shown[name] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    for place, record in enumerate(records):
        try:
            said = columns_of(record.open_part) if record.open_part is not None else {}
        except ValueError as error:
            findings.add(record.number, f"record {record.number} cannot be read: {error}")
            continue
        if any(shown[name][place] != said.get(name) for name in _COMPARED):
            findings.add(record.number, f"the columns of record {record.number} do not say what the record says")


_COMPARED = (
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
)


class _Dropped:
    """Which records are gone from each file, to be compared with what the log says was dropped."""

    def __init__(self) -> None:
        self._digests: dict[tuple[int, int], Any] = {}
        self._counts: dict[tuple[int, int], int] = {}

    def note(self, segment: Segment, records: Sequence[StoredRecord]) -> None:
        gone = [record.number for record in records if record.open_part is None]
        if gone:
            place = (segment.first, segment.last)
            digest = self._digests.setdefault(place, sha256())
            digest.update(b"".join(number.to_bytes(8, "big") for number in gone))
            self._counts[place] = self._counts.get(place, 0) + len(gone)

    def compare(
        self, segments: Sequence[Segment], said: dict[tuple[int, int], RetentionRecord], findings: _Findings
    ) -> None:
        for segment in segments:
            place = (segment.first, segment.last)
            gone = self._digests.get(place)
            record = said.get(place)
            if (gone is None) != (record is None) or (
                gone is not None and record is not None and gone.hexdigest() != record.digest
            ):
                findings.add(
                    segment.first,
                    f"of records {segment.first} to {segment.last}, {self._counts.get(place, 0)} are gone, and the log"
                    f" says that {record.dropped if record else 0} were dropped at the end of their retention",
                )
