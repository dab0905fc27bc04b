"""The command line: `chappe serve`, `send`, `status`, `queues`, `doctor`, `keys`, `version`.

Everything that talks to a server does so over its public HTTP API. `--json` gives output for programs; colour and
moving progress appear on terminals only. Exit codes: 0 done, 1 failed (or something was refused), 2 wrong usage or
configuration.
"""

from chappe.cli.main import app, main

__all__ = ["app", "main"]
