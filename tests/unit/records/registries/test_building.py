"""Versions built from lists, against a plain set; with runs so small that every list takes several."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.model.errors import DataDamaged, StorageFailed
from chappe.records.registries import building, sorting
from chappe.records.registries.building import ListLayout, Mode, Operation, Order
from chappe.records.registries.columns import Columns
from chappe.records.registries.layout import Form
from chappe.records.registries.reporting import Built, Progress, Refused
from chappe.records.registries.sorted_set import SortedSet
from chappe.records.registries.source import BAD_LINES_TOLD


def ignore(progress: Progress) -> None:
    """Nobody watches."""


@pytest.fixture(autouse=True, scope="module")
def _small_runs() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "RUN_RECORDS", 5)
        patch.setattr(sorting, "MERGED_RECORDS", 4)
        yield


# Few numbers, close together and far apart, so that prefixes are shared and lists meet.
NUMBERS = st.sampled_from(
    [12025550000 + place for place in (*range(8), 65_535, 65_536, 65_537, 7_000_000)] + [33612345678, 4915112345678]
)
ADDRESSES = st.sampled_from([f"{who}@{where}.example" for who in "abc" for where in "xyz"] + ["@x.example"])


def built(folder: Path, name: str, form: Form, lines: list[str], **order: object) -> Built:
    source, target = folder / f"{name}.csv", folder / f"{name}.set"
    source.write_text("address\n" + "".join(f"{line}\n" for line in lines))
    given_order = {"mode": Mode.FULL, **order}
    result = building.build(Order(str(source), str(target), form, **given_order), ignore)  # type: ignore[arg-type]
    assert isinstance(result, Built), result
    return result


@settings(max_examples=120, deadline=None)
@given(st.lists(NUMBERS), st.lists(NUMBERS), st.lists(NUMBERS))
def test_numbers_are_those_of_a_set(listed: list[int], removed: list[int], added: list[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built(folder, "one", Form.NUMBERS, [f"+{number}" for number in listed])
        delta = {"mode": Mode.DELTA, "base": str(folder / "one.set")}
        built(folder, "two", Form.NUMBERS, [f"{n}" for n in removed], operation=Operation.REMOVE, **delta)
        delta["base"] = str(folder / "two.set")
        last = built(folder, "three", Form.NUMBERS, [f"{number}" for number in added], **delta)
        expected = [set(listed), set(listed) - set(removed), set(listed) - set(removed) | set(added)]
        for place, numbers in zip(("one", "two", "three"), expected, strict=True):
            entries = SortedSet(folder / f"{place}.set")
            assert len(entries) == len(numbers)
            for number in {*listed, *removed, *added, 12025550003, 1, 99999999999}:
                assert bool(entries.entries("phone", f"+{number}", 0)) is (number in numbers)
        assert last.added == len(expected[2] - expected[1])
        assert not [path for path in folder.iterdir() if path.suffix not in (".csv", ".set")]


@settings(max_examples=60, deadline=None)
@given(st.lists(ADDRESSES), st.lists(ADDRESSES))
def test_addresses_are_those_of_a_set(listed: list[str], added: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built(folder, "one", Form.ADDRESSES, listed)
        built(folder, "two", Form.ADDRESSES, added, mode=Mode.DELTA, base=str(folder / "one.set"))
        for place, addresses in (("one", set(listed)), ("two", {*listed, *added})):
            entries = SortedSet(folder / f"{place}.set")
            assert len(entries) == len(addresses)
            for asked in ("a@x.example", "b@x.example", "c@z.example", "A@Y.EXAMPLE", "q@q.example"):
                low = asked.lower()
                expected = low in addresses or "@" + low.partition("@")[2] in addresses
                assert bool(entries.entries("email", asked, 0)) is expected


def test_hopeless_lists_are_not_read_to_their_end(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_text("number\n" + "x\n" * 50_000)
    result = building.build(Order(str(source), str(tmp_path / "o.set"), Form.NUMBERS, Mode.FULL), ignore)
    assert isinstance(result, Refused)
    assert BAD_LINES_TOLD == len(result.bad) <= result.bad_lines < 50_000
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_progress_is_told(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_text("number\n" + "".join(f"+1202555{number:04}\n" for number in range(200)))
    told: list[Progress] = []
    building.build(Order(str(source), str(tmp_path / "o.set"), Form.NUMBERS, Mode.FULL), told.append)
    assert {progress.step for progress in told} == {"reading", "writing"}
    assert (told[-1].done, told[-1].total) == (200, 200)


def test_an_unknown_region_refuses_the_list(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("number\n1\n")
    layout = ListLayout(Columns(region="XX"))
    order = Order(str(tmp_path / "list.csv"), str(tmp_path / "o.set"), Form.NUMBERS, Mode.FULL, layout)
    result = building.build(order, ignore)
    assert isinstance(result, Refused)
    assert "XX" in result.reason


@pytest.mark.parametrize("content", [b"", b"CHAPREG1", b"x" * 100, b"CHAPREG1" + b"\xff" * 8 + b"{}"])
def test_what_is_no_such_file_is_not_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "o.set").write_bytes(content)
    with pytest.raises((DataDamaged, StorageFailed)):
        SortedSet(tmp_path / "o.set")
