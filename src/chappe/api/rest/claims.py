"""Idempotency keys: the same request with the same key is carried out once, and answered alike each time.

An answer is committed together with what it answers and kept for 24 hours. While a request with a key is being
carried out, others with that key wait for it. The header is that of draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from hashlib import blake2b

from chappe.api.rest.errors import InvalidParameter
from chappe.model.errors import IdempotencyConflict
from chappe.pipeline.acceptance.request import IDEMPOTENCY_KEY_CHARACTERS_MAX
from chappe.records.idempotency import KEPT_MS, Answer, IdempotencyRecords

HEADER = b"idempotency-key"
REPLAYED: tuple[bytes, bytes] = (b"idempotency-replayed", b"true")
_KEY = re.compile(rf"[!-~]{{1,{IDEMPOTENCY_KEY_CHARACTERS_MAX}}}")


class Claims:
    """The keys in use. `scope` is the client: keys of different clients do not meet."""

    def __init__(self, records: IdempotencyRecords, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms
        self._held: dict[tuple[str, str], asyncio.Future[None]] = {}

    @contextlib.asynccontextmanager
    async def holding(self, scope: str, keys: Sequence[str]) -> AsyncIterator[Mapping[str, Answer]]:
        """Hold the keys, waiting while others do; gives the answers that were kept for them."""
        claimed = {(scope, key) for key in keys}
        while busy := [self._held[claim] for claim in claimed if claim in self._held]:
            await asyncio.wait(busy)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.update(dict.fromkeys(claimed, done))
        try:
            yield await self._records.find(scope, keys, self._now_ms()) if keys else {}
        finally:
            for claim in claimed:
                del self._held[claim]
            done.set_result(None)

    def answer(self, scope: str, key: str, digest: str, http_status: int, body: bytes) -> Answer:
        """An answer to keep."""
        return Answer(scope, key, digest, http_status, body.decode(), self._now_ms() + KEPT_MS)


def key_of(headers: Mapping[bytes, bytes]) -> str | None:
    """The key of a request, if it has one. Raises `InvalidParameter`."""
    given = headers.get(HEADER)
    if given is None:
        return None
    key = given.decode("latin-1").strip()
    if len(key) > 2 and key[0] == key[-1] == '"':
        key = key[1:-1]  # the draft writes the key as a quoted string
    if not _KEY.fullmatch(key):
        raise InvalidParameter(
            f"Idempotency-Key must have 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} visible ASCII characters.",
            parameter="Idempotency-Key",
        )
    return key


def digest_of(*parts: bytes) -> str:
    """A digest that tells requests apart."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def check_same(kept: Answer, digest: str) -> None:
    """Raise `IdempotencyConflict` unless the kept answer is to the same request."""
    if kept.request_digest != digest:
        raise IdempotencyConflict(
            "This idempotency key was used for a different request within the last 24 hours. Use a new key for a new "
            "request, or repeat the first one unchanged.",
            key=kept.key,
        )
