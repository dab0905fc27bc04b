"""Starts hosts quickly: a process that has imported everything and forks one host at a time.

Each line on standard input names a folder, a socket and whether the engine is tight; the answer is the host's process
id and, once it has ended, its wait status.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from tests.acceptance.crash import host


def main() -> None:
    for line in sys.stdin:
        folder, socket, tight = json.loads(line)
        process = os.fork()
        if not process:
            try:
                host.run(Path(folder), Path(socket), tight=tight)
                os._exit(0)
            except BaseException:  # noqa: BLE001 - the child must not go on as a zygote
                traceback.print_exc()
                os._exit(1)
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
