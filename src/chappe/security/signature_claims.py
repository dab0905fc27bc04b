"""What a request claims of who signed it, when and for what. Read, not verified.

Source and error texts: see `sigv4`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

import msgspec

from chappe.security.errors import IncompleteSignature, InvalidSignature

ALGORITHM = b"AWS4-HMAC-SHA256"
PRESIGNED_MAX_SECONDS = 604_800


class Scope(msgspec.Struct, frozen=True):
    """A credential scope: `access_key_id/date/region/service/aws4_request`."""

    access_key_id: str
    date: str
    region: str
    service: str

    @classmethod
    def parse(cls, credential: bytes) -> Scope:
        try:
            parts = credential.decode("ascii").split("/")
        except UnicodeDecodeError:
            parts = []
        if len(parts) != 5 or not all(parts):
            raise IncompleteSignature(
                "Credential must have exactly 5 slash-delimited elements, "
                f"e.g. keyid/date/region/service/term, got '{shown(credential)}'"
            )
        key_id, date, region, service, terminator = parts
        if terminator != "aws4_request":
            raise InvalidSignature(
                f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator[:40]}'."
            )
        return cls(key_id, date, region, service)

    @property
    def text(self) -> bytes:
        return f"{self.date}/{self.region}/{self.service}/aws4_request".encode()


def parse_instant(date: bytes) -> int:
    """Seconds since the Unix epoch of an X-Amz-Date such as `20150830T123600Z`."""
    if len(date) == 16 and date[8:9] == b"T" and date[15:] == b"Z" and (date[:8] + date[9:15]).isdigit():
        try:
            digits = date.decode("ascii")
            when = datetime.strptime(digits, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return int(when.timestamp())
        except ValueError:
            pass
    raise IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{shown(date)}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


def credential_scope(query: bytes, fields: Mapping[bytes, bytes]) -> Scope | None:
    """The scope a request claims, unverified: for open mode. None if it claims none that can be read."""
    authorization = fields.get(b"authorization", b"")
    try:
        if authorization.startswith(ALGORITHM):
            return Scope.parse(_named_parts(authorization).get(b"Credential", b""))
        if b"X-Amz-Credential=" in query:
            return Scope.parse(query_parameters(query).get(b"X-Amz-Credential", b""))
    except (IncompleteSignature, InvalidSignature):
        pass
    return None


def authorization_parts(authorization: bytes, fields: Mapping[bytes, bytes]) -> tuple[bytes, bytes, bytes]:
    """The Credential, SignedHeaders and Signature of an Authorization header."""
    if not authorization.startswith(ALGORITHM + b" "):
        scheme = authorization.split(b" ", 1)[0]
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{shown(scheme)}'. Use '{ALGORITHM.decode()}'.")
    parts = _named_parts(authorization)
    missing = [name for name in (b"Credential", b"Signature", b"SignedHeaders") if not parts.get(name)]
    if missing:
        complaints = [f"Authorization header requires '{name.decode()}' parameter." for name in missing]
        if b"x-amz-date" not in fields:
            complaints.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        raise IncompleteSignature(" ".join(complaints))
    return parts[b"Credential"], parts[b"SignedHeaders"], parts[b"Signature"]


def _named_parts(authorization: bytes) -> dict[bytes, bytes]:
    parts = {}
    for part in authorization[len(ALGORITHM) :].split(b","):
        name, _, value = part.strip().partition(b"=")
        parts[name] = value
    return parts


def query_parameters(query: bytes) -> dict[bytes, bytes]:
    """The parameters of a query string, decoded."""
    parameters = {}
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        parameters[unquote_to_bytes(name)] = unquote_to_bytes(value)
    return parameters


def expiry_seconds(text: bytes) -> int:
    """For how long a presigned URL is good. Raises `IncompleteSignature`."""
    if text.isdigit() and len(text) <= 6 and 1 <= int(text) <= PRESIGNED_MAX_SECONDS:
        return int(text)
    raise IncompleteSignature(f"X-Amz-Expires must be between 1 and {PRESIGNED_MAX_SECONDS} seconds.")


def shown(text: bytes) -> str:
    """What a request said, as an error may quote it."""
    return text[:80].decode("ascii", "replace")
