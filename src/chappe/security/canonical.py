"""The canonical form of a request, which client and server sign alike. Source: see `sigv4`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from urllib.parse import quote, unquote_to_bytes

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, in the order they came."""
Fields = Mapping[bytes, bytes]
"""The same by name; of a header that came more than once, the last."""


def canonical_path(path: bytes) -> bytes:
    """The path without dot segments, each segment encoded once more, as every service but S3 has it."""
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    normal = b"/" + b"/".join(kept)
    if kept and path.endswith(b"/"):
        normal += b"/"
    return quote(normal, safe="/-_.~").encode()


def canonical_query(query: bytes) -> bytes:
    """Parameters sorted by encoded name, then by encoded value."""
    pairs = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((_encoded(name), _encoded(value)))
    pairs.sort()
    return b"&".join(name + b"=" + value for name, value in pairs)


def canonical_form(names: tuple[bytes, ...]) -> bytes:
    """The request, with places for method, path, query, the values of these signed headers and the payload hash."""
    lines = b"".join(name.replace(b"%", b"%%") + b":%b\n" for name in names)
    return b"%b\n%b\n%b\n" + lines + b"\n" + b";".join(names).replace(b"%", b"%%") + b"\n%b"


def picker(names: tuple[bytes, ...]) -> Callable[[Mapping[bytes, bytes]], tuple[bytes, ...]]:
    """Picks the values of these headers, in their order."""
    if len(names) == 1:
        return lambda fields: (fields[names[0]],)
    return itemgetter(*names)


def joined(headers: Headers) -> dict[bytes, bytes]:
    """Headers that came more than once, as one value each, separated by commas."""
    merged: dict[bytes, bytes] = {}
    for name, value in headers:
        merged[name] = merged[name] + b"," + value.strip() if name in merged else value.strip()
    return merged


def _encoded(text: bytes) -> bytes:
    return quote(unquote_to_bytes(text), safe="-_.~").encode()
