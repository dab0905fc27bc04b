"""Registries as a user keeps them, with a server of its own; and with kill -9 in the middle of imports."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
from pathlib import Path

from tests.commands import Run, clean_environment

from chappe.cli.connection import connect

from .conftest import Process, served

NAME = "US National DNC"


def test_a_list_is_imported_asked_and_rolled_back(chappe: Run, server: Process, tmp_path: Path) -> None:
    at = ("--data", server.data)
    assert chappe("registries", "create", NAME, "--jurisdiction", "US", *at).out == "us-national-dnc\n"
    assert chappe("registries", "lookup", NAME, "+12025550101", *at).out.startswith("unknown")
    (tmp_path / "list.csv").write_text("number\n2025550101\n2025550102\n")
    done = chappe("registries", "import", NAME, "list.csv", "--region", "US", "--source", "the portal", *at)
    assert (done.code, done.err) == (0, "")
    assert done.out == "version 1 is in use: 2 entries (2 lines)\n"
    (tmp_path / "delta.csv").write_text("+12025550103,add\n+12025550101,remove\n")
    options = ("--delta", "--no-header", "--operation-column", "2", "--json")
    changed = chappe("registries", "import", NAME, "delta.csv", *options, *at).json
    assert (changed["version"]["added"], changed["version"]["removed"]) == (1, 1)
    assert chappe("registries", "lookup", NAME, "+12025550101", *at).out.startswith("not listed")
    assert chappe("registries", "activate", NAME, "1", *at).code == 0
    assert chappe("registries", "lookup", NAME, "+12025550101", "--json", *at).json["listed"] is True
    shown = chappe("registries", "show", NAME, *at).out
    assert "● │ 1" in shown
    assert "the portal" in shown
    assert "us-national-dnc" in chappe("registries", "list", *at).out
    assert chappe("registries", "delete", NAME, *at).code == 0
    assert "registry_not_found" in chappe("registries", "lookup", NAME, "+12025550101", *at).err


def test_bad_lines_are_told_and_nothing_is_changed(chappe: Run, server: Process, tmp_path: Path) -> None:
    at = ("--data", server.data)
    chappe("registries", "create", "Bad lines", *at)
    (tmp_path / "list.csv").write_text("number\n+12025550101\nnobody\n")
    refused = chappe("registries", "import", "Bad lines", "list.csv", *at)
    assert (refused.code, refused.out) == (1, "")
    assert "line 3: it is not a telephone number" in refused.err
    assert "[bad_lines]" in refused.err
    assert chappe("registries", "import", "Bad lines", "list.csv", "--allow-bad", "1", *at).code == 0
    missing = chappe("registries", "import", "Bad lines", "elsewhere.csv", *at)
    assert (missing.code, "elsewhere.csv" in missing.err) == (2, True)


def test_lists_of_people_are_imported_again_without_harm(chappe: Run, server: Process, tmp_path: Path) -> None:
    at = ("--data", server.data)
    (tmp_path / "stop.csv").write_text("email,reason\nana@example.com,asked\nben@example.com,\n")
    (tmp_path / "yes.csv").write_text("email;purpose\ncat@example.com;promotional\n")
    for expected in ("2 addresses suppressed", "0 addresses suppressed, 2 there already"):
        done = chappe("suppressions", "import", "stop.csv", "--reason", "the old system", *at)
        assert (done.code, done.out) == (0, f"2 lines: {expected}\n"), done.err
    (tmp_path / "odd.csv").write_text("email\nana@example.com\ndan@example.com\nnobody\n")
    odd = chappe("suppressions", "import", "odd.csv", "--reason", "the old system", "--allow-bad", "1", *at)
    assert odd.out == "3 lines: 1 addresses suppressed, 1 there already, 1 bad\n", odd.err
    options = ("--delimiter", ";", "--recorded-at", "2024-01-02T00:00:00Z", "--json")
    for changed in (1, 0):
        assert chappe("consents", "import", "yes.csv", *options, *at).json["changed"] == changed
    refused = chappe("consents", "import", "stop.csv", *at)
    assert (refused.code, "no column 'reason'" in refused.err) == (1, True)


def test_a_killed_import_leaves_the_version_before_or_the_whole_new_one(chappe: Run, tmp_path: Path) -> None:
    """The two lists have no number in common, so any mixture of versions shows."""
    lists = [[f"+1202{generation}{number:06}" for number in range(60_000)] for generation in (5, 6)]
    for generation, numbers in enumerate(lists):
        (tmp_path / f"{generation}.csv").write_text("number\n" + "\n".join(numbers) + "\n")
    at = ("--data", tmp_path / "data")
    chance = random.Random(4)
    in_use: int | None = None
    for attempt in range(5):
        with served(tmp_path, "--port", "0") as process:
            process.started()
            if attempt == 0:
                chappe("registries", "create", NAME, *at)
                assert chappe("registries", "import", NAME, "0.csv", *at).code == 0
            in_use = _generation(tmp_path, lists)
            coming = 1 - in_use
            importing = subprocess.Popen(
                [sys.executable, "-m", "chappe", "registries", "import", NAME, f"{coming}.csv", "--data", "data"],
                cwd=tmp_path,
                env=clean_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                importing.wait(0.3 + chance.random() * 0.6)
            process.stop(signal.SIGKILL)
            importing.wait(60)
    with served(tmp_path, "--port", "0") as process:
        process.started()
        assert _generation(tmp_path, lists) in (0, 1)
        kept = chappe("registries", "show", NAME, "--json", *at).json["versions"]
        names = {path.name for path in (tmp_path / "data" / "registries").iterdir()}
        assert len([name for name in names if name.endswith(".set")]) == sum(version["kept"] for version in kept)
        assert all(name.endswith(".set") for name in names), "nothing half-done is left"


def _generation(folder: Path, lists: list[list[str]]) -> int:
    """Which list is in use; a sample of both must agree on it."""
    with connect(None, None, folder / "data") as server:
        found = [
            [
                server.get("/v1/registries/us-national-dnc/lookup", to=numbers[place])["listed"]
                for place in range(0, len(numbers), 7_919)
            ]
            for numbers in lists
        ]
    assert [set(answers) for answers in found] in ([{True}, {False}], [{False}, {True}]), found
    return 0 if found[0][0] else 1
