"""Receipt handles: the engine's receipt and the second in which the message was received.

The second is needed for the rule that no message stays invisible for more than twelve hours after it was
received. A keyed hash over both keeps either from being altered.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from chappe.model.errors import ChappeError, MessageGone, MessageNotInFlight, ReceiptExpired, ReceiptInvalid

HANDLE_MAX = 1024
_SECONDS_DIGITS = 8
_SIGNATURE_BYTES = 8
_SUFFIX_CHARACTERS = _SECONDS_DIGITS + 2 * _SIGNATURE_BYTES


class ReceiptHandle(msgspec.Struct, frozen=True):
    text: str
    receipt: str
    received_at_seconds: int


class ReceiptHandles:
    """Makes and reads handles. `key` (up to 64 bytes) is secret; handles made with another one are refused."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=_SIGNATURE_BYTES)

    def of(self, receipt: str, received_at_seconds: int) -> str:
        signed = f"{receipt}.{received_at_seconds:08x}"
        return signed + self._signature(signed)

    def parse(self, text: str) -> ReceiptHandle:
        """Raises `ReceiptInvalid` for what was never a handle."""
        if text.isascii() and len(text) <= HANDLE_MAX:
            receipt, _, suffix = text.rpartition(".")
            signed, signature = text[: -2 * _SIGNATURE_BYTES], text[-2 * _SIGNATURE_BYTES :]
            if len(suffix) == _SUFFIX_CHARACTERS and hmac.compare_digest(signature, self._signature(signed)):
                return ReceiptHandle(text, receipt, int(suffix[:_SECONDS_DIGITS], 16))
        raise _invalid(text)

    def _signature(self, signed: str) -> str:
        mac = self._keyed.copy()  # the key is taken in once
        mac.update(signed.encode())
        return mac.hexdigest()


def explained(error: ChappeError, handle: str) -> ChappeError:
    """The engine's complaint about a receipt, in the words of SQS."""
    if isinstance(error, ReceiptInvalid):
        return _invalid(handle)
    if isinstance(error, ReceiptExpired):
        return ReceiptExpired(
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )
    if isinstance(error, (MessageGone, MessageNotInFlight)):
        return type(error)(
            f"Value {handle} for parameter ReceiptHandle is invalid. "
            "Reason: Message does not exist or is not available for visibility timeout change."
        )
    return error


def _invalid(handle: str) -> ReceiptInvalid:
    shown = handle if len(handle) <= HANDLE_MAX else handle[:HANDLE_MAX] + "..."
    return ReceiptInvalid(f'The input receipt handle "{shown}" is not a valid receipt handle.')
