"""Signatures of webhooks by the Standard Webhooks specification (https://www.standardwebhooks.com), scheme
v1.

The receiver verifies HMAC-SHA256 over `id.timestamp.body` with the shared secret; any of its libraries will
do.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

_PREFIX = "whsec_"
_MIN_BYTES, _MAX_BYTES = 24, 64
"""The specification's bounds on a secret's length."""


def generate_secret() -> str:
    """A new random secret of 32 bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def decode_secret(secret: str) -> bytes:
    """The key bytes of `whsec_...`.

    Raises `ValueError` saying what is wrong, without repeating the secret.
    """
    if not secret.startswith(_PREFIX):
        raise ValueError("a webhook secret starts with whsec_")
    try:
        key = base64.b64decode(secret[len(_PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook secret is whsec_ followed by base64") from None
    if not _MIN_BYTES <= len(key) <= _MAX_BYTES:
        raise ValueError(
            f"a webhook secret holds {_MIN_BYTES} to {_MAX_BYTES} bytes, not {len(key)}; "
            "make one with: echo whsec_$(openssl rand -base64 32)"
        )
    return key


def signature_headers(message_id: str, body: bytes, *, keys: Sequence[bytes], now_ms: int) -> dict[str, str]:
    """The three headers.

    With several keys there is a signature for each, so that receivers can change over.
    """
    moment = datetime.fromtimestamp(now_ms // 1000, UTC)
    text = body.decode("utf-8")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now_ms // 1000),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, moment, text) for key in keys),
    }
