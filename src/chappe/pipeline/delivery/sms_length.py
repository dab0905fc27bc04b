"""How many parts a text message is sent in: carriers count, and bill, parts of 140 bytes.

In the default alphabet of GSM 03.38 (3GPP TS 23.038) a part holds 160 characters, or 153 each of several; with any
other character the whole text is UCS-2, with 70 or 67.
"""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Each takes two places."""


def sms_parts(text: str) -> int:
    """The number of parts; at least 1."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        return _parts(len(text) + sum(character in _EXTENDED for character in text), 160, 153)
    return _parts(len(text.encode("utf-16-be")) // 2, 70, 67)


def _parts(places: int, alone: int, together: int) -> int:
    return 1 if places <= alone else -(-places // together)
