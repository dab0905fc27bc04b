"""(m) A registry of ten million numbers: importing it, and asking it, beside a Python set and a SQLite table."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.figure import Figure, Settings, Target
from chappe.records.registries import building
from chappe.records.registries.building import ListLayout, Mode, Order
from chappe.records.registries.columns import Columns
from chappe.records.registries.layout import Form
from chappe.records.registries.reporting import Built
from chappe.records.registries.sorted_set import SortedSet

NUMBERS = 10_000_000
NUMBERS_QUICK = 1_000_000
LOOK_UPS = 200_000
_FIRST, _LAST = 12_000_000_000, 19_999_999_999
_SEED = 10
IMPORT_PEAK_MB = 256.0
LOOK_UP_P99_US = 20.0

Asks = Callable[[str], object]


def run(settings: Settings) -> Figure:
    """Import a list, then ask each contender, each in a process of its own."""
    count = NUMBERS_QUICK if settings.quick else NUMBERS
    figure = Figure("m", f"A do-not-call list of {count:,} numbers: importing it, and looking numbers up")
    with tempfile.TemporaryDirectory(dir=settings.folder, prefix="chappe-bench-") as name:
        folder = Path(name)
        _write_list(folder / "list.csv", count)
        imported = _apart("import", folder)
        for contender in CONTENDERS:
            measured = _apart(contender, folder) | (imported if contender == "registry" else {})
            figure.rows.append({"contender": NAMES[contender], **measured})
    registry = figure.rows[0]
    figure.targets = [
        Target("peak memory of the import, MB", IMPORT_PEAK_MB, registry["peak MB"], at_most=True),
        Target("look-up, P99 us", LOOK_UP_P99_US, registry["P99 us"], at_most=True),
    ]
    figure.notes = [
        "Half of the numbers asked are listed. Each contender has a process of its own; the registry and its file are",
        "made by one before it. own MB is memory of the process alone, mapped MB what it shares with the page cache,",
        "its program included. The import reads CSV, checks each number against the numbering plans, sorts on disk and",
        "syncs; the set and the table take the numbers as they are.",
    ]
    return figure


def _write_list(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write("number\n")
        file.writelines(f"+{number}\n" for number in _numbers(count))


def _numbers(count: int) -> list[int]:
    return random.Random(_SEED).sample(range(_FIRST, _LAST), count)


def _apart(what: str, folder: Path) -> dict[str, Any]:
    """What a process of its own measures, so that nobody's memory is mistaken for another's."""
    command = [sys.executable, "-m", "bench.figures.registries", what, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[2])
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


# --- in a process of its own ------------------------------------------------------------------------------


def _import(folder: Path) -> dict[str, float]:
    layout = ListLayout(Columns(address="number"))
    order = Order(str(folder / "list.csv"), str(folder / "list.set"), Form.NUMBERS, Mode.FULL, layout)
    begun = time.perf_counter()
    built = building.build(order, lambda progress: None)
    assert isinstance(built, Built), built
    return {"made s": time.perf_counter() - begun, "peak MB": _memory_mb("VmHWM")}


def _open_registry(folder: Path) -> tuple[Asks, float]:
    entries = SortedSet(folder / "list.set")
    return (lambda address: entries.entries("phone", address, 0)), (folder / "list.set").stat().st_size


def _open_set(folder: Path) -> tuple[Asks, float]:
    with (folder / "list.csv").open() as file:
        next(file)
        listed = {int(line) for line in file}
    return (lambda address: int(address[1:]) in listed), 0


def _open_table(folder: Path) -> tuple[Asks, float]:
    path = folder / "list.db"
    connection = sqlite3.connect(path)
    connection.execute("create table listed (number integer primary key)")
    with (folder / "list.csv").open() as file, connection:
        next(file)
        connection.executemany("insert into listed values (?)", ((number,) for number in sorted(map(int, file))))
    query = "select 1 from listed where number = ?"
    execute = connection.execute
    return (lambda address: execute(query, (int(address[1:]),)).fetchone()), path.stat().st_size


CONTENDERS: dict[str, Callable[[Path], tuple[Asks, float]]] = {
    "registry": _open_registry,
    "set": _open_set,
    "table": _open_table,
}
NAMES = {"registry": "Chappe registry", "set": "Python set", "table": "SQLite table"}


def _measure(contender: str, folder: Path) -> dict[str, float]:
    before_mb = _memory_mb("RssAnon")
    begun = time.perf_counter()
    ask, file_bytes = CONTENDERS[contender](folder)
    made_seconds = time.perf_counter() - begun
    peak_mb = _memory_mb("VmHWM")
    own_mb = _memory_mb("RssAnon") - before_mb
    addresses = _addresses(folder)
    for address in addresses[: len(addresses) // 10]:
        ask(address)
    begun = time.perf_counter()
    for address in addresses:
        ask(address)
    rate = len(addresses) / (time.perf_counter() - begun)
    taken_ns = []
    for address in addresses:
        start = time.perf_counter_ns()
        ask(address)
        taken_ns.append(time.perf_counter_ns() - start)
    taken_ns.sort()
    return {
        "made s": made_seconds,
        "peak MB": peak_mb,
        "file MB": file_bytes / 1e6,
        "own MB": max(own_mb, 0.0),
        "mapped MB": _memory_mb("RssFile"),
        "look-ups/s": rate,
        "P50 us": taken_ns[len(taken_ns) // 2] / 1000,
        "P99 us": taken_ns[len(taken_ns) * 99 // 100] / 1000,
    }


def _addresses(folder: Path) -> list[str]:
    """Numbers to ask, every other one listed, in no order."""
    source = random.Random(_SEED + 1)
    width = len(f"+{_FIRST}\n")
    with (folder / "list.csv").open("rb") as file:
        count = (file.seek(0, os.SEEK_END) - len("number\n")) // width
        addresses = []
        for _ in range(LOOK_UPS // 2):
            file.seek(len("number\n") + source.randrange(count) * width)
            addresses.append(file.read(width - 1).decode())
            addresses.append(f"+{source.randrange(_FIRST, _LAST)}")
    return addresses


def _memory_mb(kind: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    print(json.dumps(_import(where) if what == "import" else _measure(what, where)))
