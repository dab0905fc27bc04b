"""One-click unsubscription (RFC 8058): links that name a message and cannot be guessed.

A token is the message's key and a MAC over it (keyed BLAKE2b, RFC 7693). It holds no address, so a link that is
logged somewhere gives no one away, and it serves as long as the message's record is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_KEY_BYTES = 8
_MAC_BYTES = 16
_TOKEN_CHARACTERS = 32
SECRET_BYTES_MIN = 16


class UnsubscribeLinks:
    """Makes links and reads their tokens. `public_url` is where the world reaches the server; without it no links."""

    def __init__(self, secret: bytes, public_url: str | None) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"the secret needs at least {SECRET_BYTES_MIN} bytes")
        key = hashlib.blake2b(secret).digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=_MAC_BYTES, person=b"unsubscribe")
        self._prefix = None if public_url is None else public_url.rstrip("/") + "/v1/unsubscribe/"

    def url(self, key: int) -> str | None:
        """The link for a message."""
        return None if self._prefix is None else self._prefix + self.token(key)

    def token(self, key: int) -> str:
        """The token for a message."""
        packed = key.to_bytes(_KEY_BYTES, "big")
        return base64.urlsafe_b64encode(packed + self._mac(packed)).decode()

    def key_of(self, token: str) -> int | None:
        """The message of a token, or None if it was not made here."""
        if len(token) != _TOKEN_CHARACTERS or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        packed, mac = raw[:_KEY_BYTES], raw[_KEY_BYTES:]
        if not hmac.compare_digest(mac, self._mac(packed)):
            return None
        return int.from_bytes(packed, "big")

    def _mac(self, packed: bytes) -> bytes:
        mac = self._keyed.copy()  # the key is taken in once
        mac.update(packed)
        return mac.digest()
