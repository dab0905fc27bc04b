"""Print docs/settings.md: `python -m chappe.config`."""

from __future__ import annotations

import sys

from chappe.config.reference import render

if __name__ == "__main__":
    sys.stdout.write(render())
