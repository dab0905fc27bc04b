"""The characters SQS lets through: #x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF.

Source: Amazon SQS API Reference, SendMessage (it cites the W3C specification for characters, i.e. XML 1.0).
"""

from __future__ import annotations

import re

_FORBIDDEN_CONTROLS = bytes(code for code in range(0x20) if code not in (0x9, 0xA, 0xD))
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""U+FFFE and U+FFFF in UTF-8."""
ALLOWED_SET = "#x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]"

_PUNCTUATED = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)


def forbidden_character(encoded: bytes) -> str | None:
    """The first character that is not allowed in text given as UTF-8, written like `#x8`; None if all are."""
    clean = encoded.isascii() or not any(found in encoded for found in _NONCHARACTERS)
    if clean and len(encoded.translate(None, _FORBIDDEN_CONTROLS)) == len(encoded):
        return None
    found = _FORBIDDEN.search(encoded.decode())
    return f"#x{ord(found.group()):X}" if found else None


def is_identifier(text: str) -> bool:
    """Whether a message group, deduplication or attempt id is 1 to 128 letters, digits and ASCII punctuation."""
    return 1 <= len(text) <= 128 and _PUNCTUATED.issuperset(text)
