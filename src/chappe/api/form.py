"""Parameters of a query string or an HTML form.

Source: the URL standard, "application/x-www-form-urlencoded". Stricter than a browser: what is not UTF-8, or has a
percent sign that begins no escape, is refused, because guessing would change a message's body.
"""

from __future__ import annotations

import binascii
import re

from chappe.api.aws_errors import MalformedRequest

PARAMETERS_MAX = 2000
"""A batch of ten messages with ten attributes each takes about 450."""
NAME_MAX = 512

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def parse_form(*texts: bytes) -> dict[str, str]:
    """The parameters of these texts, read one after the other; of one given twice, the last.

    Raises `MalformedRequest`.
    """
    found: dict[str, str] = {}
    for text in texts:
        if text.count(b"&") >= PARAMETERS_MAX:
            raise MalformedRequest(f"The request has more than {PARAMETERS_MAX} parameters.")
        for pair in text.split(b"&"):
            name, _, value = pair.partition(b"=")
            if len(name) > NAME_MAX:
                raise MalformedRequest(f"The name of a parameter is longer than {NAME_MAX} bytes.")
            if name:
                found[_decoded(name)] = _decoded(value)
    return found


def _decoded(text: bytes) -> str:
    """Decode `+` and `%XX`.

    Quoted-printable is the same code with another sign, and its decoder is in C: a message of 1 MiB in escapes takes
    it milliseconds where `urllib` would hold the server for half a second.
    """
    if b"+" in text:
        text = text.replace(b"+", b" ")
    if b"%" in text:
        if _BROKEN_ESCAPE.search(text):
            raise MalformedRequest("The query string contains a percent sign that begins no escape.")
        text = binascii.a2b_qp(text.replace(b"=", b"=3D").replace(b"%", b"="))
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The query string is not valid UTF-8: {error.reason}.") from error
