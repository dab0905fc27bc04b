"""What an operation answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

JSON = b"application/json"
Headers = tuple[tuple[bytes, bytes], ...]

_encoder = msgspec.json.Encoder()
encode = _encoder.encode
"""JSON bytes of a document."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers, `content-length` left out. The content of a `file` is sent in place of the body."""

    status: int
    body: bytes
    headers: Headers
    file: Path | None = None


def json_answer(status: int, document: object, *, media_type: bytes = JSON, headers: Headers = ()) -> Answer:
    """A JSON document as an answer."""
    return encoded_answer(status, encode(document), media_type=media_type, headers=headers)


def encoded_answer(status: int, body: bytes, *, media_type: bytes = JSON, headers: Headers = ()) -> Answer:
    """A document that is JSON already."""
    return Answer(status, body, ((b"content-type", media_type), *headers))


NO_CONTENT = Answer(204, b"", ())
