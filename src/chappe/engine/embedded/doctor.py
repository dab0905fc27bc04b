"""Examining the queues of a data folder without changing it: is what was acknowledged still there and readable?"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from chappe.engine.embedded.entry import Place
from chappe.engine.embedded.folder import FORMAT, FORMAT_VERSION, RESERVE
from chappe.engine.embedded.rows import is_whole
from chappe.engine.embedded.schema import SQLITE_ERRORS
from chappe.engine.embedded.store import DATABASE, Store
from chappe.model.errors import ChappeError, StorageFailed

REPORT_EVERY_ROWS = 50_000
SAMPLE = 5
LOW_DISK_BYTES = 256 << 20

Progress = Callable[[str, int, int], None]
"""Called with (what is being examined, done, of how many)."""


class Level(StrEnum):
    NOTE = "note"
    WARNING = "warning"
    DAMAGE = "damage"


class Finding(msgspec.Struct, frozen=True):
    """Something the operator should know. `advice` says what to do about it."""

    level: Level
    where: str
    what: str
    advice: str = ""


class Report(msgspec.Struct):
    """`figures` are counts and sizes by name. `healthy` is False if anything is damaged."""

    folder: str
    figures: dict[str, int]
    findings: list[Finding]

    @property
    def healthy(self) -> bool:
        return not any(finding.level is Level.DAMAGE for finding in self.findings)


def examine(folder: Path | str, progress: Progress = lambda what, done, total: None) -> Report:
    """Read everything in the folder and check it, changing nothing. Never raises for what it finds.

    A server may be running on the folder, but should not be started meanwhile.
    """
    folder = Path(folder)
    report = Report(str(folder), {}, [])
    if not (folder / DATABASE).exists():
        report.findings.append(
            Finding(Level.DAMAGE, str(folder), f"there is no {DATABASE}", "Is this the folder given to --data?")
        )
        return report
    _examine_files(folder, report)
    _examine_format(folder, report)
    try:
        store = Store(folder, readonly=True)
    except ChappeError as error:
        report.findings.append(_unopened(folder, error))
        return report
    try:
        _Examination(store, report, progress).run()
    except SQLITE_ERRORS as error:
        report.findings.append(
            Finding(Level.DAMAGE, DATABASE, f"reading stopped: {error}", "Restore a backup; this one is not whole.")
        )
    finally:
        store.close()
    return report


def _unopened(folder: Path, error: ChappeError) -> Finding:
    if isinstance(error, StorageFailed) and not os.access(folder, os.W_OK):
        what = "has a log left by a crash or a running server, which cannot be read in a folder that is read-only"
        return Finding(Level.DAMAGE, DATABASE, what, "Copy the folder to where it can be written; examine the copy.")
    return Finding(Level.DAMAGE, DATABASE, error.message, "Restore a backup.")


def _examine_files(folder: Path, report: Report) -> None:
    process = _server_process(folder)
    if process is not None:
        report.findings.append(
            Finding(Level.NOTE, str(folder), f"a server is using it (process {process}); figures move while it runs")
        )
    if folder.stat().st_mode & 0o077:
        report.findings.append(
            Finding(Level.WARNING, str(folder), "other users can look into the folder", f"Run: chmod 700 {folder}")
        )
    free_bytes = shutil.disk_usage(folder).free
    report.figures["disk_free_bytes"] = free_bytes
    report.figures["file_bytes"] = sum(p.stat().st_size for p in folder.iterdir() if p.is_file())
    if free_bytes < LOW_DISK_BYTES:
        report.findings.append(
            Finding(Level.WARNING, str(folder), f"only {free_bytes >> 20} MiB of disk are free", "Free some space.")
        )
    if not (folder / RESERVE).exists():
        report.findings.append(
            Finding(
                Level.WARNING,
                RESERVE,
                "the reserve for a full disk is missing",
                "It was given up because the disk was full; a running server builds it again when there is room.",
            )
        )


def _server_process(folder: Path) -> str | None:
    """The process that holds the folder's lock, or None if nobody does."""
    try:
        lock = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.pread(lock, 32, 0).decode("ascii", "replace")
    finally:
        os.close(lock)
    return None


def _examine_format(folder: Path, report: Report) -> None:
    try:
        text = (folder / FORMAT).read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return  # the first start was cut short; the next one writes it
    if text != str(FORMAT_VERSION):
        report.findings.append(
            Finding(
                Level.DAMAGE,
                FORMAT,
                f"says {text[:20]!r}; this version of Chappe reads format {FORMAT_VERSION}",
                "Use the version that wrote the folder, or restore a backup.",
            )
        )


class _Examination:
    def __init__(self, store: Store, report: Report, progress: Progress) -> None:
        self.store = store
        self.db = store.db
        self.report = report
        self.progress = progress
        self.queue_names: dict[int, str] = {}

    def run(self) -> None:
        self._structure()
        self._journal()
        if self._queues():
            self._messages()
            self._references()

    def _found(self, level: Level, where: str, what: str, advice: str = "") -> None:
        self.report.findings.append(Finding(level, where, what, advice))

    def _structure(self) -> None:
        self.progress("structure", 0, 1)
        for (problem,) in self.db.execute("PRAGMA integrity_check(20)"):
            if problem != "ok":
                self._found(Level.DAMAGE, DATABASE, problem, "Restore a backup; SQLite's structure is broken.")
        self.progress("structure", 1, 1)

    def _journal(self) -> None:
        pages = messages = 0
        try:
            for _, page, _ in self.store.journal():
                pages += 1
                messages += len(page.sent)
        except ChappeError as error:
            self._found(Level.DAMAGE, "journal", error.message, "Restore a backup.")
        self.report.figures.update(journal_pages=pages, journal_messages=messages)

    def _queues(self) -> bool:
        try:
            self.queue_names = {row.id: row.info.name for row in self.store.queues()}
        except ChappeError as error:
            self._found(Level.DAMAGE, "queues", error.message, "Restore a backup.")
            return False
        self.report.figures["queues"] = len(self.queue_names)
        return True

    def _messages(self) -> None:
        total = self.db.execute("SELECT coalesce(sum(stored + parked + grouped), 0) FROM queues").get or 0
        broken: list[int] = []
        counted: Counter[tuple[int, int]] = Counter()
        for number, row in enumerate(self.store.all_rows()):
            seq, queue_id, place = row[:3]
            if number % REPORT_EVERY_ROWS == 0:
                self.progress("messages", number, max(total, number))
            if not is_whole(row):
                broken.append(seq)
            counted[queue_id, place] += 1
        self.progress("messages", total, total)
        self.report.figures["messages"] = counted.total()
        if broken:
            self._found(
                Level.DAMAGE,
                "messages",
                f"{len(broken)} fail their checksum, the first at sequences {broken[:SAMPLE]}",
                "Restore a backup, or purge the queues concerned: the server refuses to deliver these.",
            )
        self._counts(counted)

    def _counts(self, counted: Counter[tuple[int, int]]) -> None:
        garbage = {row[0] for row in self.db.execute("SELECT queue_id FROM garbage")}
        for queue_id, name, *stated in self.db.execute("SELECT id, name, stored, parked, grouped FROM queues"):
            found = [counted[queue_id, place] for place in Place]
            if found != stated and queue_id not in garbage:
                self._found(
                    Level.WARNING,
                    name,
                    f"holds {found} messages (in order, delayed, grouped), but counts {stated}",
                    "Only the approximate counts are wrong; please report it.",
                )
        strays = {queue_id for queue_id, _ in counted} - set(self.queue_names) - garbage
        if strays:
            self._found(
                Level.WARNING,
                "messages",
                f"some belong to no queue (ids {sorted(strays)[:SAMPLE]})",
                "Please report it.",
            )

    def _references(self) -> None:
        orphans = self.db.execute("SELECT count(*) FROM received WHERE seq NOT IN (SELECT seq FROM messages)").get
        if orphans:
            self._found(Level.WARNING, "received", f"{orphans} entries have no message", "Harmless; please report it.")
        self.report.figures["received"] = self.db.execute("SELECT count(*) FROM received").get or 0
