"""Receipt handles: the engine's receipt and the second in which the message was received.

The second is needed for the rule that no message stays invisible for more than twelve hours after it was
received.
"""

from __future__ import annotations

import msgspec

from chappe.model.errors import ChappeError, MessageNotInFlight, ReceiptExpired, ReceiptInvalid

HANDLE_MAX = 1024
_SECONDS_DIGITS = 8


class ReceiptHandle(msgspec.Struct, frozen=True):
    text: str
    receipt: str
    received_at_seconds: int


def handle_of(receipt: str, received_at_seconds: int) -> str:
    return f"{receipt}.{received_at_seconds:08x}"


def parse_handle(text: str) -> ReceiptHandle:
    """Raises `ReceiptInvalid` for what was never a handle."""
    if text.isascii() and len(text) <= HANDLE_MAX:
        receipt, _, seconds = text.rpartition(".")
        if receipt and len(seconds) == _SECONDS_DIGITS:
            try:
                return ReceiptHandle(text, receipt, int(seconds, 16))
            except ValueError:
                pass
    raise _invalid(text)


def explained(error: ChappeError, handle: str) -> ChappeError:
    """The engine's complaint about a receipt, in the words of SQS."""
    if isinstance(error, ReceiptInvalid):
        return _invalid(handle)
    if isinstance(error, ReceiptExpired):
        return ReceiptExpired(
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )
    if isinstance(error, MessageNotInFlight):
        return MessageNotInFlight(
            f"Value {handle} for parameter ReceiptHandle is invalid. "
            "Reason: Message does not exist or is not available for visibility timeout change."
        )
    return error


def _invalid(handle: str) -> ReceiptInvalid:
    shown = handle if len(handle) <= HANDLE_MAX else handle[:HANDLE_MAX] + "..."
    return ReceiptInvalid(f'The input receipt handle "{shown}" is not a valid receipt handle.')
