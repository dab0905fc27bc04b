"""Write docs/settings.md: `python -m chappe.config [FILE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from chappe.config.reference import render

if __name__ == "__main__":
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/settings.md")
    file.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"wrote {file}\n")
