"""The command line. docs/commands.md is made from it with `python -m chappe.cli.reference`.

Everything that talks to a server does so over its public HTTP API. `--json` gives output for programs; colour and
moving progress appear on terminals only. Exit codes: 0 done, 1 failed (or something was refused), 2 wrong usage or
configuration.

main.py puts the commands together. A group of several files is a room of its own, with its commands.py; the rest is
what commands share: connection.py (the server and its answers), output.py (tables, JSON, errors), uploading.py and
list_options.py (lists to import), entries.py, pacing.py and following.py (messages to send).
"""

from chappe.cli.main import app, main

__all__ = ["app", "main"]
