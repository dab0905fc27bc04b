"""`python -m bench rivals [--install]`: say which rivals are there, or fetch those that are not."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bench.rivals import installing


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench rivals", description=__doc__)
    parser.add_argument("--install", action="store_true", help=f"fetch what is missing into {installing.FOLDER}")
    install = parser.parse_args(words).install
    for name in installing.NAMES:
        if install and not installing.installed(name):
            print(f"{name}: installing ...", flush=True)
            try:
                installing.install(name)
            except installing.NotInstallable as error:
                print(f"{name}: {error}")
                continue
        print(f"{name}: {'there' if installing.installed(name) else installing.why_missing(name)}")


if __name__ == "__main__":
    main()
