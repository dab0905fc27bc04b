"""Signatures made by botocore are accepted; whatever was changed afterwards is noticed."""

from __future__ import annotations

import string
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.security.signing import KEY_ID, NOW, FixedKeys, SignedRequest, sign

from chappe.model.errors import Unauthenticated
from chappe.security.canonical import canonical_path
from chappe.security.errors import (
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    UnknownAccessKey,
)
from chappe.security.principal import Principal
from chappe.security.signature_claims import Scope, parse_instant
from chappe.security.sigv4 import SignatureVerifier, signing_key

VISIBLE = string.ascii_letters + string.digits + "-_.~ !*'()/:@$,;=+&%"


def verifier(keys: FixedKeys | None = None, now: datetime = NOW) -> SignatureVerifier:
    return SignatureVerifier(keys or FixedKeys(), lambda: int(now.timestamp() * 1000))


def verify(request: SignedRequest, by: SignatureVerifier | None = None, service: str = "sqs") -> Principal:
    return (by or verifier()).verify(
        request.method, request.path, request.query, request.headers, dict(request.headers), request.body, service
    )


def test_a_request_signed_by_botocore_names_its_caller() -> None:
    assert verify(sign(b'{"QueueName":"q"}')) == Principal(
        access_key_id=KEY_ID, account="123456789012", region="eu-west-1", service="sqs"
    )


def test_the_second_request_of_a_client_is_verified_as_carefully_as_the_first() -> None:
    by = verifier()
    assert verify(sign(b"one"), by) == verify(sign(b"two"), by)
    forged = sign(b"two")
    forged.body = b"three"
    with pytest.raises(InvalidSignature):
        verify(forged, by)
    with pytest.raises(InvalidSignature):
        verify(sign(b"four", secret="guess" * 8), by)


@given(
    body=st.binary(max_size=2000),
    headers=st.dictionaries(
        st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=20).map(lambda n: "X-Amz-Meta-" + n),
        st.text(VISIBLE, max_size=60).map(str.strip),
        max_size=5,
    ),
    region=st.sampled_from(["us-east-1", "eu-central-1", "x"]),
    skew_seconds=st.integers(-900, 900),
)
def test_whatever_botocore_signs_within_the_window_is_accepted(
    body: bytes, headers: dict[str, str], region: str, skew_seconds: int
) -> None:
    request = sign(body, headers=headers, region=region, at=NOW - timedelta(seconds=skew_seconds))
    assert verify(request).region == region


@given(st.text(string.ascii_letters + string.digits + "-_.~%/ +", max_size=40), st.binary(max_size=50))
def test_paths_are_read_as_botocore_writes_them(path: str, body: bytes) -> None:
    request = sign(body, url="http://localhost/" + path.replace("%", "%25").replace(" ", "%20"))
    assert verify(request).access_key_id == KEY_ID


@given(data=st.data(), body=st.binary(min_size=1, max_size=300))
def test_any_changed_byte_of_the_body_is_noticed(data: st.DataObject, body: bytes) -> None:
    request = sign(body)
    position = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[position] ^= data.draw(st.integers(1, 255))
    request.body = bytes(changed)
    with pytest.raises(InvalidSignature, match="The request signature we calculated does not match"):
        verify(request)


@pytest.mark.parametrize("name", [b"host", b"x-amz-target", b"x-amz-date"])
def test_a_changed_signed_header_is_noticed(name: bytes) -> None:
    value = dict(sign().headers)[name]
    changed = value[:-2] + b"1Z" if name == b"x-amz-date" else value + b"X"
    with pytest.raises(InvalidSignature):
        verify(sign().replaced(name, changed))


def test_an_x_amz_header_that_was_not_signed_is_refused() -> None:
    request = sign()
    request.headers.append((b"x-amz-extra", b"1"))
    with pytest.raises(InvalidSignature, match="'x-amz-extra' must be a 'SignedHeader'"):
        verify(request)


def test_the_host_must_be_signed() -> None:
    request = sign()
    authorization = dict(request.headers)[b"authorization"].replace(b"host;", b"")
    with pytest.raises(InvalidSignature, match="'Host' must be a 'SignedHeader'"):
        verify(request.replaced(b"authorization", authorization))


def test_repeated_headers_are_joined_as_they_are_signed() -> None:
    request = sign(headers={"X-Amz-Target": "T", "X-Amz-Twice": "one,two"})
    headers = [h for h in request.headers if h[0] != b"x-amz-twice"]
    request.headers = [*headers, (b"x-amz-twice", b"one"), (b"x-amz-twice", b"two")]
    assert verify(request).access_key_id == KEY_ID


EXPIRED = "Signature expired: 20260301T114459Z is now earlier than 20260301T114500Z (20260301T120000Z - 15 min.)"
TOO_NEW = (
    "Signature not yet current: 20260301T121501Z is still later than 20260301T121500Z (20260301T120000Z + 15 min.)"
)


@pytest.mark.parametrize(("skew_seconds", "message"), [(-901, EXPIRED), (901, TOO_NEW)])
def test_a_clock_that_is_off_by_more_than_fifteen_minutes(skew_seconds: int, message: str) -> None:
    with pytest.raises(InvalidSignature) as caught:
        verify(sign(at=NOW + timedelta(seconds=skew_seconds)))
    assert caught.value.message == message


def test_the_scope_must_be_of_the_same_day_as_the_date() -> None:
    request = sign(at=NOW.replace(hour=0, minute=5))
    by = verifier(now=NOW.replace(hour=0, minute=0))
    with pytest.raises(InvalidSignature, match="Date in Credential scope does not match"):
        verify(request.replaced(b"x-amz-date", b"20260228T235900Z"), by)


def test_an_unknown_key_and_a_revoked_one() -> None:
    with pytest.raises(UnknownAccessKey, match=r"The security token included in the request is invalid\."):
        verify(sign(key_id="AKIAUNKNOWN000000000"))
    keys = FixedKeys()
    by = verifier(keys)
    verify(sign(), by)
    keys.keys.clear()
    keys.generation += 1
    with pytest.raises(UnknownAccessKey):
        verify(sign(), by)


def test_a_key_that_came_back_with_another_secret() -> None:
    keys = FixedKeys()
    by = verifier(keys)
    verify(sign(), by)
    keys.keys[KEY_ID] = ("x" * 40, "123456789012")
    keys.generation += 1
    with pytest.raises(InvalidSignature):
        verify(sign(), by)
    verify(sign(secret="x" * 40), by)


def test_no_credentials_at_all() -> None:
    request = sign()
    request.headers = [h for h in request.headers if h[0] != b"authorization"]
    with pytest.raises(MissingAuthenticationToken):
        verify(request)


def test_a_session_token_from_elsewhere_is_refused_with_advice() -> None:
    request = sign(headers={"X-Amz-Security-Token": "IQoJb3JpZ2luX2VjE"})
    with pytest.raises(UnknownAccessKey, match="unset AWS_SESSION_TOKEN"):
        verify(request)


def test_a_request_signed_for_another_service() -> None:
    by = verifier()
    verify(sign(service="sqs"), by)
    with pytest.raises(InvalidSignature, match="Credential should be scoped to correct service: 'sqs'"):
        verify(sign(service="sns"), by)
    with pytest.raises(InvalidSignature, match="Credential should be scoped to correct service: 'events'"):
        verify(sign(service="sqs"), by, service="events")


@pytest.mark.parametrize(
    ("authorization", "error", "message"),
    [
        (b"", IncompleteSignature, "Unsupported AWS 'algorithm'"),
        (b"Bearer chp_x", IncompleteSignature, "Unsupported AWS 'algorithm': 'Bearer'"),
        (b"AWS4-HMAC-SHA256", IncompleteSignature, "Unsupported AWS 'algorithm'"),
        (b"AWS4-HMAC-SHA256 ", IncompleteSignature, "requires 'Credential' parameter"),
        (b"AWS4-HMAC-SHA256 \xff\xfe=,,,", IncompleteSignature, "requires 'Signature' parameter"),
        (
            b"AWS4-HMAC-SHA256 Credential=K/20260301/eu-west-1/sqs, SignedHeaders=host, Signature=0",
            IncompleteSignature,
            "Credential must have exactly 5 slash-delimited elements",
        ),
        (
            b"AWS4-HMAC-SHA256 Credential=K\xff/1/2/3/4, SignedHeaders=host, Signature=0",
            IncompleteSignature,
            "Credential must have exactly 5 slash-delimited elements",
        ),
        (
            b"AWS4-HMAC-SHA256 Credential=K/20260301/eu-west-1/sqs/aws5, SignedHeaders=host, Signature=0",
            InvalidSignature,
            "valid terminator: 'aws4_request'",
        ),
    ],
)
def test_authorization_headers_that_make_no_sense(
    authorization: bytes, error: type[Unauthenticated], message: str
) -> None:
    with pytest.raises(error, match=message):
        verify(sign().replaced(b"authorization", authorization))


@pytest.mark.parametrize("date", [b"", b"2026-03-01T12:00:00Z", b"20260301T250000Z", b"20261301T000000Z", b"\xff" * 16])
def test_dates_in_another_form(date: bytes) -> None:
    with pytest.raises(IncompleteSignature, match="ISO-8601 'basic format'"):
        verify(sign().replaced(b"x-amz-date", date))


def test_a_missing_date() -> None:
    request = sign()
    request.headers = [h for h in request.headers if h[0] != b"x-amz-date"]
    with pytest.raises(IncompleteSignature, match="'X-Amz-Date'"):
        verify(request)


def test_the_parts_of_the_header_may_stand_in_another_order() -> None:
    by = verifier()
    for body in (b"one", b"two"):
        request = sign(body)
        scheme, rest = dict(request.headers)[b"authorization"].split(b" ", 1)
        turned = b", ".join(reversed(rest.split(b", ")))
        assert verify(request.replaced(b"authorization", scheme + b" " + turned), by).access_key_id == KEY_ID


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=60)), max_size=6), st.binary(max_size=120))
def test_junk_is_refused_and_never_crashes(headers: list[tuple[bytes, bytes]], authorization: bytes) -> None:
    request = sign()
    request.headers = [*headers, (b"authorization", authorization), (b"x-amz-date", b"20260301T120000Z")]
    with pytest.raises(Unauthenticated):
        verify(request)


def test_unsigned_payload_is_not_accepted() -> None:
    request = sign(b"", headers={"X-Amz-Target": "T", "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    request.body = b"anything"
    with pytest.raises(InvalidSignature):
        verify(request)


def test_a_presigned_request_and_its_expiry() -> None:
    url = "http://localhost/?Action=ListQueues&Name=a%20b"
    request = sign(b"", url=url, method="GET", headers={"X-Other": "1"}, presigned_seconds=60)
    assert verify(request).access_key_id == KEY_ID
    assert verify(request, verifier(now=NOW + timedelta(seconds=60))).region == "eu-west-1"
    with pytest.raises(InvalidSignature, match="Signature expired"):
        verify(request, verifier(now=NOW + timedelta(seconds=61)))
    request.query = request.query.replace(b"ListQueues", b"DeleteQueue")
    with pytest.raises(InvalidSignature, match="does not match"):
        verify(request)


def test_a_presigned_request_with_parts_missing() -> None:
    request = sign(b"", method="GET", headers={"X-Other": "1"}, presigned_seconds=60)
    request.query = b"&".join(part for part in request.query.split(b"&") if b"Expires" not in part)
    with pytest.raises(IncompleteSignature, match="'X-Amz-Expires'"):
        verify(request)


def test_the_signing_key_of_the_aws_documentation() -> None:
    """The example of "Deriving the signing key" in the AWS General Reference."""
    scope = Scope("AKIDEXAMPLE", "20120215", "us-east-1", "iam")
    key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope)
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


def test_reading_a_date() -> None:
    assert parse_instant(b"20150830T123600Z") == 1440938160


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        (b"/", b"/"),
        (b"//a//b/", b"/a/b/"),
        (b"/a/../b/./c", b"/b/c"),
        (b"/a%20b", b"/a%2520b"),
        (b"/123456789012/jobs.fifo", b"/123456789012/jobs.fifo"),
    ],
)
def test_canonical_paths(path: bytes, canonical: bytes) -> None:
    assert canonical_path(path) == canonical
