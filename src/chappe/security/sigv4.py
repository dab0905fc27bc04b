"""Verifying AWS Signature Version 4, in the Authorization header and in presigned URLs.

Source: "Signature Version 4 signing process" in the AWS General Reference; the error texts are those AWS
answers with. The payload hash is always computed over the body that arrived: `UNSIGNED-PAYLOAD` is a
privilege of a few services (Amazon S3 among them) and of none served here.

This is on the path of every request. What depends only on the client and the day (credential scope, list of
signed headers, signing key) is worked out once and remembered under the literal text of the Authorization
header up to the signature; entries are remembered only after a signature was verified with them, so strangers
cannot fill it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from chappe.security.canonical import Fields, Headers, canonical_form, canonical_path, canonical_query, joined, picker
from chappe.security.errors import (
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    UnknownAccessKey,
)
from chappe.security.principal import Principal
from chappe.security.signature_claims import (
    ALGORITHM,
    Scope,
    authorization_parts,
    expiry_seconds,
    parse_instant,
    query_parameters,
    shown,
)

CLOCK_SKEW_SECONDS = 900
_REMEMBERED_MAX = 4096

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_NO_TOKEN = "The security token included in the request is invalid."  # noqa: S105


class SigningKeySource(Protocol):
    """Where secrets come from. `generation` changes whenever a key was added or taken away."""

    @property
    def generation(self) -> int: ...

    def signing_secret(self, access_key_id: str) -> tuple[str, str] | None:
        """The secret and the account of an access key, or None if there is no such key."""
        ...


class Signer(msgspec.Struct, frozen=True):
    """What all requests share that one client signs alike on one day."""

    principal: Principal
    scope: bytes
    date: bytes
    mac: hmac.HMAC
    """Keyed and still empty; copying it costs less than beginning anew."""
    values_of: Callable[[Mapping[bytes, bytes]], tuple[bytes, ...]]
    """Picks the values of the signed headers, in their order."""
    signed_set: frozenset[bytes]
    form: bytes
    """The canonical request, with places for path, query, the signed headers' values and the payload hash."""


class SignatureVerifier:
    """Checks signatures against the keys of `source`; `clock_ms` gives milliseconds since the Unix epoch."""

    def __init__(self, source: SigningKeySource, clock_ms: Callable[[], int]) -> None:
        self._source = source
        self._clock_ms = clock_ms
        self._signers: dict[bytes, Signer] = {}
        self._instants: dict[bytes, int] = {}
        self._generation = source.generation

    def verify(
        self, method: bytes, path: bytes, query: bytes, headers: Headers, fields: Fields, body: bytes, service: str
    ) -> Principal:
        """Return who signed the request. `path` and `query` are as they stood in the request line.

        Raises `MissingAuthenticationToken`, `IncompleteSignature`, `InvalidSignature` or `UnknownAccessKey`.
        """
        authorization = fields.get(b"authorization")
        if authorization is None:
            if b"X-Amz-Signature=" in query or b"X-Amz-Algorithm=" in query:
                return self._verify_presigned(method, path, query, headers, fields, body, service)
            raise MissingAuthenticationToken("Request is missing Authentication Token")
        if self._generation != self._source.generation:
            self._forget()
        prefix, _, signature = authorization.rpartition(b"Signature=")
        signer = self._signers.get(prefix)
        usual_order = False
        if signer is None:
            credential, signed_headers, stated = authorization_parts(authorization, fields)
            signer = self._signer(Scope.parse(credential), signed_headers, service)
            usual_order, signature = stated == signature, stated
        elif signer.principal.service != service:
            raise _wrong_service(service)
        date = fields.get(b"x-amz-date")
        if date is None:
            raise IncompleteSignature(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
                "Chappe reads 'X-Amz-Date'."
            )
        self._check_clock(date, signer)
        _check_all_signed(fields, signer)
        if b"x-amz-security-token" in fields:
            raise _foreign_session_token()
        expected = _signature(signer, date, _canonical_request(signer, method, path, query, fields, headers, body))
        if not hmac.compare_digest(expected, signature):
            raise InvalidSignature(_MISMATCH)
        if usual_order:  # only then does the prefix hold all that the signer was made from
            self._remember(prefix, signer)
        return signer.principal

    def _verify_presigned(
        self, method: bytes, path: bytes, query: bytes, headers: Headers, fields: Fields, body: bytes, service: str
    ) -> Principal:
        parameters = query_parameters(query)
        wanted = (
            b"X-Amz-Algorithm",
            b"X-Amz-Credential",
            b"X-Amz-Date",
            b"X-Amz-Expires",
            b"X-Amz-SignedHeaders",
            b"X-Amz-Signature",
        )
        for name in wanted:
            if name not in parameters:
                raise IncompleteSignature(f"AWS query-string parameters must include '{name.decode()}'.")
        if parameters[b"X-Amz-Algorithm"] != ALGORITHM:
            raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{shown(parameters[b'X-Amz-Algorithm'])}'.")
        if b"X-Amz-Security-Token" in parameters:
            raise _foreign_session_token()
        signer = self._signer(Scope.parse(parameters[b"X-Amz-Credential"]), parameters[b"X-Amz-SignedHeaders"], service)
        date = parameters[b"X-Amz-Date"]
        self._check_clock(date, signer, expiry_seconds(parameters[b"X-Amz-Expires"]))
        _check_all_signed(fields, signer)
        remaining = b"&".join(part for part in query.split(b"&") if not part.startswith(b"X-Amz-Signature="))
        expected = _signature(signer, date, _canonical_request(signer, method, path, remaining, fields, headers, body))
        if not hmac.compare_digest(expected, parameters[b"X-Amz-Signature"]):
            raise InvalidSignature(_MISMATCH)
        return signer.principal

    def _signer(self, scope: Scope, signed_headers: bytes, service: str) -> Signer:
        names = tuple(signed_headers.lower().split(b";"))
        signed_set = frozenset(names)
        if b"host" not in signed_set:
            raise InvalidSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.")
        if scope.service != service:
            raise _wrong_service(service)
        found = self._source.signing_secret(scope.access_key_id)
        if found is None:
            raise UnknownAccessKey(_NO_TOKEN)
        secret, account = found
        return Signer(
            principal=Principal(scope.access_key_id, account, scope.region, scope.service),
            scope=scope.text,
            date=scope.date.encode(),
            mac=hmac.new(signing_key(secret, scope), digestmod=hashlib.sha256),
            values_of=picker(names),
            signed_set=signed_set,
            form=canonical_form(names),
        )

    def _check_clock(self, date: bytes, signer: Signer, expiry_seconds: int | None = None) -> None:
        signed_at = self._instants.get(date)
        if signed_at is None:
            signed_at = parse_instant(date)
            if len(self._instants) >= _REMEMBERED_MAX:
                self._instants.clear()
            self._instants[date] = signed_at
        if date[:8] != signer.date:
            raise InvalidSignature(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{signer.date.decode()}' != '{date[:8].decode()}', from '{date.decode()}'."
            )
        now = self._clock_ms() // 1000
        age = now - signed_at
        if -CLOCK_SKEW_SECONDS <= age <= (CLOCK_SKEW_SECONDS if expiry_seconds is None else expiry_seconds):
            return
        shown = date.decode()
        if age < 0:
            raise InvalidSignature(
                f"Signature not yet current: {shown} is still later than "
                f"{_stamp(now + CLOCK_SKEW_SECONDS)} ({_stamp(now)} + 15 min.)"
            )
        window = "15 min." if expiry_seconds is None else f"{expiry_seconds} s"
        oldest = now - (CLOCK_SKEW_SECONDS if expiry_seconds is None else expiry_seconds)
        raise InvalidSignature(
            f"Signature expired: {shown} is now earlier than {_stamp(oldest)} ({_stamp(now)} - {window})"
        )

    def _remember(self, prefix: bytes, signer: Signer) -> None:
        if len(self._signers) >= _REMEMBERED_MAX:
            self._signers.clear()
        self._signers[prefix] = signer

    def _forget(self) -> None:
        self._signers.clear()
        self._generation = self._source.generation


def signing_key(secret: str, scope: Scope) -> bytes:
    """Derive the key for one day, region and service."""
    key = hmac.digest(b"AWS4" + secret.encode(), scope.date.encode(), "sha256")
    for part in (scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _signature(signer: Signer, date: bytes, canonical_request: bytes) -> bytes:
    digest = hashlib.sha256(canonical_request).hexdigest().encode()
    to_sign = b"\n".join((ALGORITHM, date, signer.scope, digest))
    mac = signer.mac.copy()
    mac.update(to_sign)
    return mac.hexdigest().encode()


def _canonical_request(
    signer: Signer,
    method: bytes,
    path: bytes,
    query: bytes,
    fields: Mapping[bytes, bytes],
    headers: Headers,
    body: bytes,
) -> bytes:
    if len(fields) != len(headers):
        fields = joined(headers)
    try:
        values: Sequence[bytes] = signer.values_of(fields)
    except KeyError:
        raise InvalidSignature(_MISMATCH) from None
    parts = (
        method,
        path if path == b"/" else canonical_path(path),
        canonical_query(query) if query else b"",
        *values,
        hashlib.sha256(body).hexdigest().encode(),
    )
    canonical = signer.form % parts
    if b" " in canonical or b"\t" in canonical:
        return signer.form % tuple(b" ".join(part.split()) for part in parts)
    return canonical


def _wrong_service(service: str) -> InvalidSignature:
    return InvalidSignature(f"Credential should be scoped to correct service: '{service}'.")


def _check_all_signed(fields: Fields, signer: Signer) -> None:
    """What is addressed to AWS must be covered by the signature."""
    signed = signer.signed_set
    for name in fields:
        if name not in signed and name[:6] == b"x-amz-":
            raise _unsigned(name)


def _unsigned(name: bytes) -> InvalidSignature:
    return InvalidSignature(f"'{shown(name)}' must be a 'SignedHeader' in the AWS Authorization.")


def _foreign_session_token() -> UnknownAccessKey:
    return UnknownAccessKey(f"{_NO_TOKEN} Chappe issues no session tokens: unset AWS_SESSION_TOKEN.")


def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y%m%dT%H%M%SZ")
