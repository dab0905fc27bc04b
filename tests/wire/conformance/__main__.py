"""Print docs/sqs-conformance.md: `python -m tests.wire.conformance`."""

from __future__ import annotations

import sys

from tests.wire.conformance.page import render

if __name__ == "__main__":
    sys.stdout.write(render())
