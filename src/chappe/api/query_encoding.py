"""Answers and errors of the Query protocol, in XML.

Quotes and carriage returns are escaped also in text, as the service does: a parser would turn a bare carriage return
into a line feed, and the body would not match its MD5 any more.
"""

from __future__ import annotations

import base64
import re
from xml.sax.saxutils import escape

import msgspec

from chappe.api.aws_errors import AwsError
from chappe.api.query_names import QueryMember, members_of
from chappe.broker.characters import forbidden_character
from chappe.broker.shapes import Shape

_DECLARATION = '<?xml version="1.0"?>'
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {'"': "&quot;", "\r": "&#xD;"}
_CODES = {"SerializationException": "MalformedInput", "UnknownOperationException": "InvalidAction"}
"""What the framework calls its own errors in this protocol, where it differs from JSON."""
_MESSAGES = {
    "AWS.SimpleQueueService.NonExistentQueue": "The specified queue does not exist for this wsdl version.",
}
"""Errors that are worded differently in this protocol."""


def encode_answer(operation: str, output: Shape | None, request_id: bytes, namespace: str) -> bytes:
    """The answer of an operation; one without an output has no result element."""
    parts = [f'{_DECLARATION}<{operation}Response xmlns="{namespace}">']
    if output is not None:
        start = len(parts)
        _structure(parts, output)
        if len(parts) == start:
            parts.append(f"<{operation}Result/>")
        else:
            parts.insert(start, f"<{operation}Result>")
            parts.append(f"</{operation}Result>")
    parts.append(
        f"<ResponseMetadata><RequestId>{request_id.decode()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return "".join(parts).encode()


def encode_error(error: AwsError, request_id: bytes, namespace: str) -> bytes:
    if error.status == 404 and error.name == "UnknownOperationException":
        return b"<UnknownOperationException/>"
    fault = "Sender" if error.sender_fault else "Receiver"
    code = error.query_code or _CODES.get(error.name, error.name)
    return (
        f'{_DECLARATION}<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type><Code>{_text(code)}</Code>'
        f"<Message>{_text(_MESSAGES.get(code, error.message))}</Message><Detail/></Error>"
        f"<RequestId>{request_id.decode()}</RequestId></ErrorResponse>"
    ).encode()


def _structure(parts: list[str], value: msgspec.Struct) -> None:
    for member in members_of(type(value)):
        found = getattr(value, member.field)
        if found is not None:
            _member(parts, member, found)


def _member(parts: list[str], member: QueryMember, value: object) -> None:
    if isinstance(value, list):
        for item in value:
            _element(parts, member.name, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            parts.append(f"<{member.name}>")
            _element(parts, member.key_name, key)
            _element(parts, member.value_name, item)
            parts.append(f"</{member.name}>")
    else:
        _element(parts, member.name, value)


def _element(parts: list[str], name: str, value: object) -> None:
    if isinstance(value, msgspec.Struct):
        parts.append(f"<{name}>")
        _structure(parts, value)
        parts.append(f"</{name}>")
    else:
        parts.append(f"<{name}>{_scalar(value)}</{name}>")


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _text(text: str) -> str:
    """Text between tags. What XML cannot carry in any form becomes U+FFFD."""
    if forbidden_character(text.encode(errors="replace")) is not None:
        text = _FORBIDDEN.sub("\ufffd", text)
    return escape(text, _ESCAPES)
