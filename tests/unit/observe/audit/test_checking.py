"""Whatever is done to the log afterwards shows: any byte, any record, any file, and the end of it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conformance.clocks import ManualClock

from chappe.observe.audit.checking import Verification, verify, verify_quickly
from chappe.observe.audit.checkpoints import Checkpointer, read_file
from chappe.observe.audit.record import ErasureRecord
from chappe.observe.audit.recording import open_entry
from chappe.observe.audit.sealing import Sealer
from chappe.observe.audit.segments import StoredRecord, read_records, write_records
from chappe.observe.audit.storage import CHECKPOINTS_FILE, AuditStorage
from chappe.records.audit_pages import GENESIS, Entry, digest_of, link
from chappe.records.store import FILE_NAME, Records

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PAGES, PER_PAGE, SEALED, SIGNED = 8, 4, 12, 28
SIZE = PAGES * PER_PAGE
"""Records 0 to 11 are in a file, 12 to 31 in pages of four; two checkpoints cover 12 and 28."""
anything = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def entry(number: int) -> Entry:
    return open_entry(ErasureRecord(at_ms=number, persons=(number,)), number)


async def build(folder: Path) -> None:
    clock = ManualClock()
    records = await Records.open(folder, now_ms=clock)
    checkpointer = Checkpointer(records.audit, KEY, folder, clock)
    for page in range(PAGES):
        await records.audit.append([entry(page * PER_PAGE + n) for n in range(PER_PAGE)])
        if (page + 1) * PER_PAGE in (SEALED, SIGNED):
            assert await checkpointer.sign() == (page + 1) * PER_PAGE
    segment = await Sealer(records.audit, folder, clock, segment_records=SEALED).seal_next()
    assert segment is not None
    assert (segment.first, segment.last) == (0, SEALED - 1)
    await records.close()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    asyncio.run(build(folder))
    return folder


@pytest.fixture
def copies(built: Path, tmp_path: Path) -> Callable[[], Path]:
    numbers = iter(range(10**6))

    def copy() -> Path:
        folder = tmp_path / str(next(numbers))
        shutil.copytree(built, folder)
        return folder

    return copy


def check(folder: Path) -> Verification:
    with AuditStorage(folder) as storage:
        return verify(storage, KEY.public_key())


def quickly(folder: Path) -> Verification:
    with AuditStorage(folder) as storage:
        return verify_quickly(storage, KEY.public_key())


def run(folder: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(folder / FILE_NAME) as connection:
        connection.execute(sql, values)
    connection.close()


def row(folder: Path, sql: str, *values: object) -> tuple[bytes, ...]:
    with sqlite3.connect(folder / FILE_NAME) as connection:
        found: tuple[bytes, ...] = connection.execute(sql, values).fetchone()
    connection.close()
    return found


def open_page(folder: Path, first: int) -> tuple[list[bytes], list[bytes], list[bytes]]:
    hashes, opened, personal = row(
        folder, "SELECT hashes, open_parts, personal_parts FROM audit_pages WHERE first = ?", first
    )
    split = [hashes[n : n + 32] for n in range(0, len(hashes), 32)]
    return split, msgspec.msgpack.decode(zlib.decompress(opened)), msgspec.msgpack.decode(personal)


def write_page(folder: Path, first: int, hashes: list[bytes], opened: list[bytes], personal: list[bytes]) -> None:
    run(
        folder,
        "UPDATE audit_pages SET count = ?, head = ?, hashes = ?, open_parts = ?, personal_parts = ? WHERE first = ?",
        len(opened),
        hashes[-1],
        b"".join(hashes),
        zlib.compress(msgspec.msgpack.encode(opened)),
        msgspec.msgpack.encode(personal),
        first,
    )


def rehash(folder: Path, from_number: int) -> None:
    """Make the hashes of all pages from a record on anew, as somebody would who knows how."""
    previous = GENESIS
    if from_number:
        with AuditStorage(folder) as storage:
            previous = next(storage.hashes(from_number - 1))[0]
    for first in range(from_number, SIZE, PER_PAGE):
        _, opened, personal = open_page(folder, first)
        hashes = []
        for open_part, personal_part in zip(opened, personal, strict=True):
            previous = link(previous, digest_of(open_part, personal_part))
            hashes.append(previous)
        write_page(folder, first, hashes, opened, personal)


def test_a_log_that_nobody_touched_is_sound(built: Path) -> None:
    verification = check(built)
    assert verification.sound
    assert (verification.records, verification.checkpoints, verification.signed) == (SIZE, 2, SIGNED)
    assert quickly(built).sound


@anything
@given(page=st.integers(3, PAGES - 1), place=st.integers(0, PER_PAGE - 1), data=st.data())
def test_any_changed_byte_of_a_record_is_found_and_named(
    copies: Callable[[], Path], page: int, place: int, data: st.DataObject
) -> None:
    folder = copies()
    first = page * PER_PAGE
    hashes, opened, personal = open_page(folder, first)
    content = bytearray(opened[place])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    opened[place] = bytes(content)
    write_page(folder, first, hashes, opened, personal)
    assert check(folder).first_bad == first + place
    assert quickly(folder).first_bad == first + place


@anything
@given(
    page=st.integers(3, PAGES - 1),
    column=st.sampled_from(["head", "hashes", "open_parts", "personal_parts"]),
    data=st.data(),
)
def test_any_changed_byte_of_a_page_is_found(
    copies: Callable[[], Path], page: int, column: str, data: st.DataObject
) -> None:
    folder = copies()
    first = page * PER_PAGE
    (content,) = row(folder, f"SELECT {column} FROM audit_pages WHERE first = ?", first)
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    run(folder, f"UPDATE audit_pages SET {column} = ? WHERE first = ?", bytes(changed), first)
    bad = check(folder).first_bad
    try:
        same = open_page(folder, first) == open_page(copies(), first) and column != "head"
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
        same = False
    # Compressed data has bits that change nothing of what it says.
    assert (bad is None) if same else (bad is not None and first <= bad < first + PER_PAGE)


@anything
@given(number=st.integers(SEALED, SIZE - 2), how=st.sampled_from(["dropped", "inserted", "swapped"]))
def test_a_record_that_was_dropped_inserted_or_moved_is_found_and_named(
    copies: Callable[[], Path], number: int, how: str
) -> None:
    folder = copies()
    first, place = number // PER_PAGE * PER_PAGE, number % PER_PAGE
    hashes, opened, personal = open_page(folder, first)
    if how == "dropped":
        del hashes[place], opened[place], personal[place]
    elif how == "inserted":
        hashes.insert(place, hashes[place])
        opened.insert(place, b'{"kind":"erasure","at_ms":0,"persons":[]}')
        personal.insert(place, b"")
    elif place + 1 < len(opened):
        opened[place], opened[place + 1] = opened[place + 1], opened[place]
    else:
        opened[place], opened[0] = opened[0], opened[place]
        number = first
    write_page(folder, first, hashes, opened, personal)
    assert check(folder).first_bad == number


@pytest.mark.parametrize("first", range(SEALED, SIZE - PER_PAGE, PER_PAGE))
def test_a_dropped_page_is_found_and_named(copies: Callable[[], Path], first: int) -> None:
    folder = copies()
    run(folder, "DELETE FROM audit_pages WHERE first = ?", first)
    assert check(folder).first_bad == first
    assert quickly(folder).first_bad == first


def test_pages_that_changed_places_are_found(copies: Callable[[], Path]) -> None:
    folder = copies()
    for first, other in ((16, 1_000), (20, 16), (1_000, 20)):
        run(folder, "UPDATE audit_pages SET first = ? WHERE first = ?", other, first)
    assert check(folder).first_bad == 16


def test_hashes_that_were_made_anew_do_not_match_what_was_signed(copies: Callable[[], Path]) -> None:
    folder = copies()
    hashes, opened, personal = open_page(folder, 16)
    opened[1] = b'{"kind":"erasure","at_ms":17,"persons":[999]}'
    write_page(folder, 16, hashes, opened, personal)
    rehash(folder, 16)
    verification = check(folder)
    assert verification.first_bad == SEALED  # all before was signed and is as it was
    assert verification.signed == SEALED
    assert "records 12 to 27 are not those that were signed" in verification.findings[0].what


@pytest.mark.parametrize("kept", range(SEALED, SIGNED, PER_PAGE))
def test_an_end_that_was_cut_off_is_found_as_far_as_it_was_signed(copies: Callable[[], Path], kept: int) -> None:
    folder = copies()
    run(folder, "DELETE FROM audit_pages WHERE first >= ?", kept)
    run(folder, "DELETE FROM audit_checkpoints WHERE size > ?", kept)  # the file still has it
    verification = check(folder)
    assert verification.first_bad == kept
    assert "its end was cut off" in verification.findings[0].what
    assert quickly(folder).first_bad == kept


def test_what_came_after_the_last_checkpoint_can_be_cut_off_and_nobody_knows(copies: Callable[[], Path]) -> None:
    """The limit that the documentation names."""
    folder = copies()
    run(folder, "DELETE FROM audit_pages WHERE first >= ?", SIGNED)
    assert check(folder).sound


def test_a_log_made_anew_with_the_folders_own_key_shows_against_a_copy_of_its_checkpoints(
    copies: Callable[[], Path], tmp_path: Path
) -> None:
    kept = read_file(copies() / "audit" / CHECKPOINTS_FILE)
    forged = tmp_path / "forged"
    forged.mkdir()

    async def forge() -> None:
        records = await Records.open(forged, now_ms=ManualClock())
        await records.audit.append([entry(1_000 + n) for n in range(SIZE)])
        await Checkpointer(records.audit, KEY, forged, ManualClock()).sign()
        await records.close()

    asyncio.run(forge())
    assert check(forged).sound
    with AuditStorage(forged) as storage:
        assert verify(storage, KEY.public_key(), more_checkpoints=kept).first_bad == 0


def test_a_checkpoint_of_another_key_is_no_checkpoint(built: Path) -> None:
    with AuditStorage(built) as storage:
        verification = verify(storage, Ed25519PrivateKey.generate().public_key())
    assert [finding.number for finding in verification.findings] == [SEALED - 1, SIGNED - 1]


def test_a_changed_checkpoint_is_found(copies: Callable[[], Path]) -> None:
    folder = copies()
    file = folder / "audit" / CHECKPOINTS_FILE
    file.write_text(file.read_text().replace("\n12\n", "\n13\n"))
    assert not check(folder).sound


def rewrite(folder: Path, change: Callable[[list[StoredRecord]], list[StoredRecord]]) -> None:
    (path,) = (folder / "audit" / "segments").glob("*/*.parquet")
    write_records(path, [change([record for piece in read_records(path) for record in piece])])


@pytest.mark.parametrize("number", range(SEALED))
def test_a_changed_record_in_a_file_is_found_and_named(copies: Callable[[], Path], number: int) -> None:
    folder = copies()

    def change(records: list[StoredRecord]) -> list[StoredRecord]:
        records[number] = msgspec.structs.replace(
            records[number], open_part=b'{"kind":"erasure","at_ms":0,"persons":[7]}'
        )
        return records

    rewrite(folder, change)
    assert check(folder).first_bad == number


def test_a_record_that_somebody_emptied_is_told_from_one_whose_retention_ended(copies: Callable[[], Path]) -> None:
    folder = copies()

    def change(records: list[StoredRecord]) -> list[StoredRecord]:
        records[5] = msgspec.structs.replace(records[5], open_part=None, personal_part=None)
        return records

    rewrite(folder, change)
    (finding,) = check(folder).findings
    assert "1 are gone, and the log says that 0 were dropped" in finding.what


def test_columns_that_say_something_else_than_the_record_are_found(copies: Callable[[], Path]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = copies()
    (path,) = (folder / "audit" / "segments").glob("*/*.parquet")
    table = pq.read_table(path, partitioning=None)
    kinds = pa.array(["decision", *table.column("kind").to_pylist()[1:]], pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index("kind"), table.schema.field("kind"), kinds), path)
    assert check(folder).first_bad == 0


@anything
@given(data=st.data())
def test_a_damaged_or_missing_file_is_found(copies: Callable[[], Path], data: st.DataObject) -> None:
    folder = copies()
    (path,) = (folder / "audit" / "segments").glob("*/*.parquet")
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    if cut:
        path.write_bytes(whole[:cut])
    else:
        path.unlink()
    assert check(folder).first_bad == 0


def test_a_missing_file_is_found_quickly(copies: Callable[[], Path]) -> None:
    folder = copies()
    shutil.rmtree(folder / "audit" / "segments")
    assert quickly(folder).first_bad == 0


def test_reading_goes_on_behind_what_cannot_be_read(copies: Callable[[], Path]) -> None:
    folder = copies()
    run(folder, "UPDATE audit_pages SET open_parts = ? WHERE first = 16", b"nonsense")
    run(folder, "UPDATE audit_pages SET open_parts = ? WHERE first = 24", b"nonsense")
    numbers = [finding.number for finding in check(folder).findings]
    assert {16, 24} <= set(numbers)
    assert min(numbers) == 16


def pieces(folder: Path) -> Iterator[list[StoredRecord]]:
    with AuditStorage(folder) as storage:
        yield from storage.stretches(7)


def test_a_log_can_be_read_from_any_record_on_across_files_and_pages(built: Path) -> None:
    assert [record.number for piece in pieces(built) for record in piece] == list(range(7, SIZE))
    with AuditStorage(built) as storage:
        assert sum(len(piece) for piece in storage.hashes(7)) == SIZE - 7
