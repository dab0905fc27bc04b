"""Which requests carry a list to import: their bodies are large, slow, and never held in memory as a whole."""

from __future__ import annotations

_ENDINGS = (b"/import", b":import")


def is_upload(method: bytes, path: bytes) -> bool:
    """Whether a request is one, by its head alone. Every operation with an upload ends its path so."""
    return method == b"POST" and path.startswith(b"/v1/") and path.endswith(_ENDINGS)
