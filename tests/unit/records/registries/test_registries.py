"""Registries: imported, in use, asked, rolled back, and what is left of them by a crash."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conformance.clocks import ManualClock

from chappe.model.errors import ImportNotFound, RegistryExists, RegistryNotFound, RegistryVersionNotFound
from chappe.model.registry import RegistryKind
from chappe.records.registries.building import ListLayout, Mode, Operation
from chappe.records.registries.columns import Columns
from chappe.records.registries.imports import Import, ImportStatus
from chappe.records.registries.layout import Digest, Form
from chappe.records.registries.registry_records import VERSIONS_KEPT, Registry
from chappe.records.registries.store import ListImport
from chappe.records.store import Records

DNC = Registry("us-national-dnc", "US National DNC", RegistryKind.DO_NOT_CALL, "US", Form.NUMBERS, 0)
IN_US = ListLayout(Columns(region="US"))
ANA, BEN, CAT = "phone:+12025550101", "phone:+12025550102", "phone:+12025550103"
DAY_MS = 86_400_000


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 7):
        yield content[start : start + 7]


async def ended(started: Import) -> Import:
    async with asyncio.timeout(60):
        while not started.ended:  # noqa: ASYNC110 (an import is asked how it stands, as users do)
            await asyncio.sleep(0.01)
    return started


async def load(records: Records, text: str | bytes, registry: Registry = DNC, *, ok: bool = True, **how: Any) -> Import:
    """Import a list and wait for what comes of it."""
    await records.registries.records.create(registry)
    content = text.encode() if isinstance(text, str) else text
    given: dict[str, Any] = {"mode": Mode.FULL, "as_of_ms": 1_000, "layout": IN_US, **how}
    started = await ended(await records.registries.start_import(registry, ListImport(**given), chunks(content)))
    assert (started.status is ImportStatus.DONE) is ok, started
    return started


def listed(records: Records, *recipients: str, registry: str = DNC.id, now_ms: int = 0) -> list[bool | None]:
    return [records.registries.answers([registry], recipient, now_ms)[0].listed for recipient in recipients]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "registries").iterdir())


async def test_a_registry_without_data_does_not_know(records: Records) -> None:
    assert listed(records, ANA) == [None]
    await records.registries.records.create(DNC)
    assert listed(records, ANA) == [None]


async def test_an_imported_list_is_in_use_at_once(records: Records) -> None:
    done = await load(records, "number\n2025550101\n(202) 555-0102\n", as_of_ms=77)
    assert (done.version, done.lines, done.bad_lines) == (1, 2, 0)
    assert listed(records, ANA, BEN, CAT) == [True, True, False]
    (answer,) = records.registries.answers([DNC.id], ANA, 0)
    assert (answer.registry, answer.kind, answer.as_of_ms) == (DNC.id, RegistryKind.DO_NOT_CALL, 77)


async def test_each_registry_answers_for_itself_in_the_order_asked(records: Records) -> None:
    await load(records, "number\n2025550101\n")
    answers = records.registries.answers(["elsewhere", DNC.id], ANA, 0)
    assert [(answer.registry, answer.listed) for answer in answers] == [("elsewhere", None), (DNC.id, True)]


async def test_a_register_of_numbers_knows_nothing_of_mail_addresses(records: Records) -> None:
    await load(records, "number\n2025550101\n")
    assert listed(records, "email:ana@example.com", "url:https://example.com/", "user:ana") == [None] * 3


async def test_a_full_list_replaces_the_one_before(records: Records) -> None:
    await load(records, "number\n2025550101\n")
    await load(records, "number\n2025550102\n")
    assert listed(records, ANA, BEN) == [False, True]


async def test_an_empty_list_lists_nobody(records: Records) -> None:
    await load(records, "number\n")
    assert listed(records, ANA) == [False]


async def test_a_delta_removes_then_adds(records: Records) -> None:
    await load(records, "number\n2025550101\n2025550102\n")
    layout = ListLayout(Columns(region="US", operation="op"))
    await load(
        records,
        "number,op\n2025550103,add\n2025550101,remove\n2025550102,remove\n2025550102,add\n2025550199,remove\n",
        mode=Mode.DELTA,
        layout=layout,
    )
    assert listed(records, ANA, BEN, CAT) == [False, True, True]
    version = (await records.registries.records.versions(DNC.id))[0]
    assert (version.version, version.base, version.listings) == (2, 1, 2)
    assert (version.added, version.removed, version.absent) == (2, 2, 1)
    again = await load(records, "number\n2025550103\n", mode=Mode.DELTA, operation=Operation.REMOVE)
    assert again.version == 3
    assert listed(records, ANA, BEN, CAT) == [False, True, False]


async def test_a_delta_applied_twice_is_applied_once(records: Records) -> None:
    await load(records, "number\n2025550101\n")
    for _ in range(2):
        await load(records, "number\n2025550102\n", mode=Mode.DELTA)
        assert listed(records, ANA, BEN) == [True, True]
    newest = (await records.registries.records.versions(DNC.id))[0]
    assert (newest.listings, newest.added) == (2, 0)


async def test_the_first_list_may_be_a_delta(records: Records) -> None:
    await load(records, "number\n2025550101\n", mode=Mode.DELTA)
    assert listed(records, ANA, BEN) == [True, False]


async def test_numbers_of_a_national_register_are_dialled_in_its_country(records: Records) -> None:
    """Read as if they began with a country code, 202 555 0101 would be somebody's in Egypt, and nobody in Washington
    would be listed.
    """
    await load(records, "number\n2025550101\n12025550102\n+12025550103\n", layout=ListLayout())
    assert listed(records, ANA, BEN, CAT, "phone:+2025550101") == [True, True, True, False]


async def test_a_worldwide_register_has_country_codes(records: Records) -> None:
    worldwide = Registry("world", "World", RegistryKind.DO_NOT_CALL, "*", Form.NUMBERS, 0)
    await load(records, "number\n12025550101\n", worldwide, layout=ListLayout())
    assert listed(records, ANA, BEN, registry="world") == [True, False]


ROBINSON = Registry("robinson", "Robinson", RegistryKind.DO_NOT_CALL, "ES", Form.MIXED, 0)
DIGESTS = [
    hashlib.sha256(text.encode()).hexdigest() for text in ("+34600123001", "34600123002", "600123003", "ana@example.es")
]
HIDDEN = ("phone:+34600123001", "phone:+34600123002", "phone:+34600123003", "email:Ana@Example.es")


async def test_a_list_of_digests_hides_whom_it_lists_and_finds_them(records: Records) -> None:
    layout = ListLayout(Columns(digest=Digest.SHA256))
    await load(records, "hash\n" + "\n".join(DIGESTS).upper() + "\n", ROBINSON, layout=layout)
    assert listed(records, *HIDDEN, registry="robinson") == [True] * 4
    others = ("phone:+34600123004", "phone:+33600123003", "email:bo@example.es", "url:https://example.es/")
    assert listed(records, *others, registry="robinson") == [False, False, False, None]
    await load(records, f"hash\n{DIGESTS[0]}\n", ROBINSON, layout=layout, mode=Mode.DELTA, operation=Operation.REMOVE)
    assert listed(records, *HIDDEN, registry="robinson") == [False, True, True, True]


async def test_digests_are_not_mixed_with_anything_else(records: Records) -> None:
    layout = ListLayout(Columns(digest=Digest.SHA256))
    await load(records, f"hash\n{DIGESTS[0]}\n", ROBINSON, layout=layout)
    other = ListLayout(Columns(digest=Digest.MD5))
    for wrong in (ListLayout(), other):
        refused = await load(records, "hash\n", ROBINSON, ok=False, layout=wrong, mode=Mode.DELTA)
        assert "must have the same" in (refused.reason or "")
    short = await load(records, f"hash\n{DIGESTS[0]}\n", ROBINSON, ok=False, layout=other)
    assert short.bad[0].reason == "it is not a md5 digest of 32 hexadecimal digits"
    numbers = await load(records, f"hash\n{DIGESTS[0]}\n", ok=False, layout=layout)
    assert "form mixed" in (numbers.reason or "")


async def test_entries_carry_category_and_dates(records: Records) -> None:
    layout = ListLayout(Columns(region="US", category="sector", since="listed", until="ends"))
    await load(
        records,
        "number,sector,listed,ends\n"
        "2025550101,banking,1970-01-03,\n2025550101,tourism,1970-01-02,1970-01-09\n2025550102,,,\n",
        layout=layout,
    )
    (ana,) = records.registries.answers([DNC.id], ANA, 5 * DAY_MS)
    assert ana.categories == ("tourism", "banking")
    assert [entry.since_ms for entry in ana.listings] == [DAY_MS, 2 * DAY_MS]
    assert ana.listings[0].until_ms == 9 * DAY_MS, "the last day is still in"
    (later,) = records.registries.answers([DNC.id], ANA, 9 * DAY_MS)
    assert later.categories == ("banking",), "what has ended is left out"
    (ben,) = records.registries.answers([DNC.id], BEN, 0)
    assert (ben.listed, ben.categories, ben.since_ms) == (True, (), None)


async def test_an_entry_that_has_ended_is_no_listing(records: Records) -> None:
    layout = ListLayout(Columns(region="US", until="ends"))
    await load(records, "number,ends\n2025550101,1970-01-09\n", layout=layout)
    assert listed(records, ANA, now_ms=8 * DAY_MS) == [True]
    assert listed(records, ANA, now_ms=9 * DAY_MS) == [False]


@pytest.mark.parametrize(
    ("kind", "since_ms"), [(RegistryKind.DO_NOT_CALL, DAY_MS), (RegistryKind.REASSIGNED, 2 * DAY_MS)]
)
async def test_of_several_dates_the_kind_says_which_counts(records: Records, kind: RegistryKind, since_ms: int) -> None:
    registry = msgspec.structs.replace(DNC, kind=kind)
    layout = ListLayout(Columns(region="US", since="since"))
    text = "number,since\n2025550101,1970-01-03\n2025550101,1970-01-02\n"
    await load(records, text, registry, layout=layout)
    (answer,) = records.registries.answers([DNC.id], ANA, 0)
    assert [entry.since_ms for entry in answer.listings] == [since_ms]
    await load(records, text, registry, layout=layout, mode=Mode.DELTA)
    assert [e.since_ms for e in records.registries.answers([DNC.id], ANA, 0)[0].listings] == [since_ms]


async def test_a_delta_may_remove_one_category(records: Records) -> None:
    layout = ListLayout(Columns(region="US", category="sector"))
    await load(records, "number,sector\n2025550101,a\n2025550101,b\n2025550102,a\n", layout=layout)
    await load(records, "number,sector\n2025550101,b\n", layout=layout, mode=Mode.DELTA, operation=Operation.REMOVE)
    assert records.registries.answers([DNC.id], ANA, 0)[0].categories == ("a",)
    await load(records, "number\n2025550101\n", mode=Mode.DELTA, operation=Operation.REMOVE)
    assert listed(records, ANA, BEN) == [False, True]


async def test_addresses_are_listed_by_themselves_and_by_domain(records: Records, tmp_path: Path) -> None:
    registry = Registry("lista", "Lista", RegistryKind.DO_NOT_CALL, "ES", Form.ADDRESSES, 0)
    await load(records, "email\nAna@Example.com\n@wireless.example\nbücher.example\n", registry, layout=ListLayout())
    recipients = ["ana@example.com", "ANA@example.COM", "ben@example.com", "ben@wireless.example", "x@bücher.example"]
    asked = [f"email:{address}" for address in recipients]
    assert listed(records, *asked, registry="lista") == [True, True, False, True, True]
    assert listed(records, "email:a@sub.wireless.example", ANA, registry="lista") == [False, None]
    await load(records, "email\nana@example.com\n", registry, mode=Mode.DELTA, operation=Operation.REMOVE)
    assert listed(records, *asked, registry="lista") == [False, False, False, True, True]
    assert not any(b"wireless" in (tmp_path / "registries" / name).read_bytes() for name in files(tmp_path))


async def test_a_mixed_register_lists_people_by_whatever_they_are_reached_by(records: Records) -> None:
    registry = Registry("iys", "IYS", RegistryKind.POSITIVE, "TR", Form.MIXED, 0)
    layout = ListLayout(Columns(region="TR", category="kind"))
    await load(records, "recipient,kind\n0532 123 45 67,MESAJ\nana@example.com,EPOSTA\n", registry, layout=layout)
    (number,) = records.registries.answers(["iys"], "phone:+905321234567", 0)
    (mail,) = records.registries.answers(["iys"], "email:ana@example.com", 0)
    assert (number.categories, mail.categories) == (("MESAJ",), ("EPOSTA",))
    assert listed(records, ANA, "email:ben@example.com", registry="iys") == [False, False]


async def test_lists_come_packed_without_header_and_in_parts(records: Records) -> None:
    layout = ListLayout(Columns(address="1+2", region="US"), header=False, delimiter=";")
    await load(records, gzip.compress(b"202;5550101\n202;5550102\n"), layout=layout)
    assert listed(records, ANA, BEN, CAT) == [True, True, False]


async def test_bad_lines_refuse_the_list_and_are_told_without_what_stands_in_them(
    records: Records, tmp_path: Path
) -> None:
    await load(records, "number\n2025550102\n")
    before = files(tmp_path)
    text = "number,since\n2025550101,1970-01-02\nabc-secret,1970-01-02\n2025550103,yesterday\n\n2025550101\n"
    layout = ListLayout(Columns(region="US", since="since"))
    refused = await load(records, text, layout=layout, ok=False)
    assert (refused.status, refused.code, refused.bad_lines) == (ImportStatus.REFUSED, "bad_lines", 3)
    assert [bad.line for bad in refused.bad] == [3, 4, 6]
    assert "secret" not in str(refused)
    assert listed(records, ANA, BEN) == [False, True]
    assert files(tmp_path) == before
    accepted = await load(records, text, layout=layout, allowed_bad=3)
    assert (accepted.bad_lines, accepted.lines) == (3, 5)
    assert listed(records, ANA, BEN) == [True, False]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "usual name"),
        (b"number,number\n", "twice"),
        (b"\x1f\x8bnonsense", "unpacked"),
        (gzip.compress(b"number\n2025550101\n")[:-12], "unpacked"),
    ],
)
async def test_what_is_no_list_is_refused(records: Records, tmp_path: Path, content: bytes, says: str) -> None:
    refused = await load(records, content, ok=False)
    assert refused.status is ImportStatus.REFUSED
    assert says in (refused.reason or "")
    assert files(tmp_path) == []


async def test_endless_lines_and_odd_bytes_are_bad_lines_of_their_own(records: Records) -> None:
    content = b"number\n" + b"1" * 200_000 + b"\n2025550101\n\xff\xfe\n" + b'"' + b"x" * 10 + b"\n2025550102"
    done = await load(records, content, allowed_bad=10)
    assert listed(records, ANA) == [True]
    assert [bad.line for bad in done.bad] == [2, 4, 5]


async def test_an_older_version_can_be_returned_to(records: Records, clock: ManualClock) -> None:
    await load(records, "number\n2025550101\n")
    await load(records, "number\n2025550102\n")
    await records.registries.activate(DNC.id, 1)
    assert listed(records, ANA, BEN) == [True, False]
    assert (await records.registries.records.get(DNC.id)).active_version == 1
    third = await load(records, "number\n2025550103\n", mode=Mode.DELTA)
    assert third.version == 3
    assert listed(records, ANA, BEN, CAT) == [True, False, True], "a delta changes the version in use"
    with pytest.raises(RegistryVersionNotFound):
        await records.registries.activate(DNC.id, 9)


async def test_only_so_many_versions_keep_their_entries(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that is said to be done has removed what it replaced, also where that takes a while."""
    unlink = Path.unlink

    def unlink_slowly(path: Path, missing_ok: bool = False) -> None:
        time.sleep(0.05)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink_slowly)
    for _ in range(VERSIONS_KEPT + 1):
        await load(records, "number\n2025550101\n")
    assert len(files(tmp_path)) == VERSIONS_KEPT
    with pytest.raises(RegistryVersionNotFound, match="no longer"):
        await records.registries.activate(DNC.id, 1)
    assert listed(records, ANA) == [True]


async def test_a_deleted_registry_does_not_know_and_leaves_nothing(records: Records, tmp_path: Path) -> None:
    await load(records, "number\n2025550101\n")
    await records.registries.delete(DNC.id)
    assert listed(records, ANA) == [None]
    assert files(tmp_path) == []
    with pytest.raises(RegistryNotFound):
        await records.registries.delete(DNC.id)
    with pytest.raises(RegistryNotFound):
        await records.registries.records.versions(DNC.id)


async def test_a_registry_of_another_kind_is_not_taken_for_the_same(records: Records) -> None:
    assert (await records.registries.records.create(DNC))[1]
    assert not (await records.registries.records.create(DNC))[1]
    with pytest.raises(RegistryExists):
        await records.registries.records.create(msgspec.structs.replace(DNC, form=Form.ADDRESSES))


async def test_imports_are_found_by_registry_and_id(records: Records) -> None:
    done = await load(records, "number\n2025550101\n")
    assert records.registries.get_import(DNC.id, done.id) is done
    with pytest.raises(ImportNotFound):
        records.registries.get_import("elsewhere", done.id)


async def test_versions_outlive_a_restart_and_leftovers_do_not(tmp_path: Path, clock: ManualClock) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    await load(records, "number\n2025550101\n")
    await records.close()
    kept = files(tmp_path)
    folder = tmp_path / "registries"
    (folder / "0123.list").write_bytes(b"half a list")
    (folder / "0123.set").write_bytes(b"a version that was never recorded")
    (folder / "0123.set.x.work").mkdir()
    (folder / "0123.set.x.work" / "run-0").write_bytes(b"")
    again = await Records.open(tmp_path, now_ms=clock)
    assert listed(again, ANA, BEN) == [True, False]
    assert files(tmp_path) == kept
    await again.close()


@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
async def test_a_damaged_version_says_that_it_does_not_know(
    tmp_path: Path, clock: ManualClock, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    records = await Records.open(tmp_path, now_ms=clock)
    await load(records, "number\n2025550101\n")
    await load(records, "number\n2025550101\n2025550102\n")
    newest = (await records.registries.records.versions(DNC.id))[0]
    await records.close()
    path = tmp_path / "registries" / newest.file
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if damage == "cut" else content[:-9] + b"!" + content[-8:])
    again = await Records.open(tmp_path, now_ms=clock)
    assert listed(again, ANA, BEN) == [None, None]
    failed = await load(again, "number\n2025550103\n", mode=Mode.DELTA, ok=False)
    assert failed.status is ImportStatus.FAILED
    await again.registries.activate(DNC.id, 1)
    assert listed(again, ANA, BEN) == [True, False]
    await again.close()
