"""[storage]: how the data folder is kept."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.engine.embedded.engine import DEFAULT_RESERVE_BYTES


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the data folder is kept."""

    reserve_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Disk space set aside. When the disk is full it is given up: new messages are refused, "
            "and those already taken can still be received and deleted.",
        ),
    ] = DEFAULT_RESERVE_BYTES
