"""JSON in: bounded, decoded straight into typed structures, and refused with the place of the error."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

import msgspec

from chappe.api.rest.choices import choices_at
from chappe.api.rest.errors import BodyTooLarge, MalformedJson, UnsupportedMediaType
from chappe.model.errors import InvalidInput

_T = TypeVar("_T")
_PLACE = re.compile(r"(?P<what>.*) - at (?:`key` in )?`\$(?P<path>[^`]*)`", re.DOTALL)
_LIST_TYPES = (b"text/csv", b"application/gzip", b"application/x-gzip")
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")


def decode(decoder: msgspec.json.Decoder[_T], body: bytes | memoryview | msgspec.Raw, *, at: str = "") -> _T:
    """The structure in a body, or in the part of a body at the JSON pointer `at`.

    Raises `MalformedJson`, and `InvalidInput` with the pointer of what is wrong.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        what, pointer = _located(str(error))
        what = what.rstrip(".")
        if what.startswith("Invalid enum value") and (choices := choices_at(decoder.type, pointer)):
            what += f"; it must be one of: {', '.join(choices)}"
        raise InvalidInput(f"{what}.", pointer=at + pointer) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not bytes(body):
            raise MalformedJson("The body is empty; it must be a JSON document.", pointer=at) from None
        raise MalformedJson(f"The body is not JSON: {error}.", pointer=at) from None
    except RecursionError:
        raise MalformedJson("The body is nested too deeply.", pointer=at) from None


def _located(message: str) -> tuple[str, str]:
    """What msgspec says, apart from the place, and the place as a JSON pointer."""
    match = _PLACE.fullmatch(message)
    if match is None:
        return message, ""
    steps = (name or index for name, index in _STEP.findall(match["path"]))
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps if step != "...")
    return match["what"], pointer


def check_media_type(headers: Mapping[bytes, bytes]) -> None:
    """Raise unless the body is declared as JSON.

    A page in a browser can make it post forms and plain text to any server without asking; JSON it must ask for. So
    this also keeps web pages from sending messages through a server in open mode.
    """
    declared = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if declared != b"application/json" and not (declared.startswith(b"application/") and declared.endswith(b"+json")):
        given = declared.decode("latin-1") or "nothing"
        raise UnsupportedMediaType(f"Send the header Content-Type: application/json (it says {given}).")


def check_list_type(headers: Mapping[bytes, bytes]) -> None:
    """Raise unless the body is declared as a list, plain or packed; for the same reason as JSON must be declared."""
    declared = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if declared not in _LIST_TYPES:
        given = declared.decode("latin-1") or "nothing"
        raise UnsupportedMediaType(f"Send the header Content-Type: text/csv or application/gzip (it says {given}).")


async def arriving_body(receive: Any) -> AsyncIterator[bytes]:
    """The body of an ASGI request, piece by piece; the client is held back while nobody asks for the next."""
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientLeft
        chunk = event.get("body", b"")
        if chunk:
            yield chunk
        more = event.get("more_body", False)


async def read_body(receive: Any, headers: Mapping[bytes, bytes], limit_bytes: int) -> bytes:
    """The whole body of an ASGI request. Raises `BodyTooLarge` as soon as that is known."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > limit_bytes:
        raise _too_large(limit_bytes)
    chunks: list[bytes] = []
    size_bytes = 0
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientLeft
        chunk = event.get("body", b"")
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        chunks.append(chunk)
        more = event.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class ClientLeft(Exception):
    """The client closed the connection; nobody is left to answer."""


def _too_large(limit_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit_bytes} bytes.", limit_bytes=limit_bytes)
