"""`python -m bench [a b ...] [--quick] [--folder DIR]`: run benchmarks, print tables, write JSON to bench/results.

`python -m bench rivals [--install]` tells of the servers to measure beside, and fetches them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench import machine, report
from bench.figure import Figure, Settings
from bench.figures import (
    audit,
    backlog,
    classifier,
    fairness,
    peers_fifo,
    peers_idle,
    peers_latency,
    peers_life,
    peers_send,
    pipeline,
    priority,
    registries,
    scale,
    send_message,
    swap,
    verdicts,
    whole_life,
)
from bench.rivals.__main__ import main as rivals

MIN_WIDTH = 140

FIGURES: dict[str, Callable[[Settings], Figure]] = {
    "a": send_message.run,
    "b": whole_life.run,
    "c": pipeline.run,
    "d": priority.run,
    "e": backlog.run,
    "f": peers_send.run,
    "g": peers_life.run,
    "h": peers_fifo.run,
    "i": peers_idle.run,
    "j": peers_latency.run,
    "k": fairness.run,
    "l": scale.run,
    "m": registries.run,
    "n": swap.run,
    "o": audit.run,
    "p": verdicts.run,
    "q": classifier.run,
}


def main() -> None:
    """Run the figures asked for, in order; a run that is interrupted still saves those that are done."""
    if sys.argv[1:2] == ["rivals"]:
        rivals(sys.argv[2:])
        return
    arguments = _arguments()
    settings = Settings(folder=arguments.folder, quick=arguments.quick)
    console = Console()
    if console.width < MIN_WIDTH:
        console = Console(width=MIN_WIDTH)
    described = machine.description(settings.folder)
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in described.items()))
    machine.allow_many_connections()
    os.sched_setaffinity(0, {machine.CLIENT_CORE})
    done: list[Figure] = []
    try:
        for letter in arguments.figures or FIGURES:
            figure = FIGURES[letter](settings)
            done.append(figure)
            report.show(console, figure)
    finally:
        if done:
            console.print(f"written to {report.save(done, described, quick=settings.quick)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"some of {' '.join(FIGURES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="one short round each, and no backlog of ten million")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where data folders are made and removed again; must be on the disk to measure",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.figures) - set(FIGURES):
        parser.error(f"there is no figure {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    return arguments


if __name__ == "__main__":
    main()
