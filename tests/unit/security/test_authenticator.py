"""The authenticator: strict against the key store, or open for tests on a laptop."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.security.signing import NOW, SignedRequest, sign

from chappe.security.authenticator import Authenticator
from chappe.security.errors import InvalidApiKey, MissingAuthenticationToken, UnknownAccessKey
from chappe.security.keys import KeyStore
from chappe.security.principal import Principal


def authenticator(folder: Path, *, open_mode: bool = False) -> Authenticator:
    return Authenticator(KeyStore(folder), lambda: int(NOW.timestamp() * 1000), open_mode=open_mode, recheck_seconds=0)


def who(by: Authenticator, request: SignedRequest) -> Principal:
    fields = dict(request.headers)
    return by.authenticate_aws(
        request.method, request.path, request.query, request.headers, fields, request.body, "sqs"
    )


def test_a_key_made_elsewhere_works_at_once_and_stops_when_revoked(tmp_path: Path) -> None:
    by = authenticator(tmp_path)
    with pytest.raises(UnknownAccessKey):
        who(by, sign())
    elsewhere = KeyStore(tmp_path)
    key = elsewhere.create_access_key(account="123456789012")
    request = sign(key_id=key.id, secret=key.secret)
    assert who(by, request) == Principal(key.id, "123456789012", "eu-west-1", "sqs")
    elsewhere.revoke(key.id)
    with pytest.raises(UnknownAccessKey):
        who(by, request)


def test_a_new_key_does_not_wait_for_the_next_look_at_the_file(tmp_path: Path) -> None:
    by = Authenticator(KeyStore(tmp_path), lambda: int(NOW.timestamp() * 1000), recheck_seconds=3600)
    with pytest.raises(InvalidApiKey):
        by.authenticate_bearer("chp_unknown")
    access_key = KeyStore(tmp_path).create_access_key()
    assert who(by, sign(key_id=access_key.id, secret=access_key.secret)).access_key_id == access_key.id
    key, token = KeyStore(tmp_path).create_api_key()
    assert by.authenticate_bearer(token).key_id == key.id


def test_a_key_file_gone_bad_does_not_stop_the_server(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    key = keys.create_access_key()
    by = authenticator(tmp_path)
    keys.path.write_text("{")
    assert who(by, sign(key_id=key.id, secret=key.secret)).access_key_id == key.id


def test_bearer_tokens(tmp_path: Path) -> None:
    key, token = KeyStore(tmp_path).create_api_key("console")
    by = authenticator(tmp_path)
    assert by.authenticate_bearer(token).key_id == key.id
    with pytest.raises(InvalidApiKey):
        by.authenticate_bearer("chp_" + "x" * 43)
    with pytest.raises(InvalidApiKey):
        by.authenticate_bearer("\ud800")
    for nothing in (None, ""):
        with pytest.raises(MissingAuthenticationToken, match="Authorization: Bearer"):
            by.authenticate_bearer(nothing)


def test_open_mode_takes_anything_and_reads_region_and_account_from_it(tmp_path: Path) -> None:
    by = authenticator(tmp_path, open_mode=True)
    assert who(by, sign(key_id="test", secret="test")) == Principal(
        "test", "000000000000", "eu-west-1", "sqs", any_account=True
    )
    assert who(by, sign(key_id="111122223333", secret="x")).account == "111122223333"
    presigned = sign(b"", method="GET", key_id="111122223333", secret="x", presigned_seconds=60)
    assert who(by, presigned).account == "111122223333"
    assert by.authenticate_bearer(None).key_id == "open"


@pytest.mark.parametrize("authorization", [b"", b"nonsense", b"AWS4-HMAC-SHA256 Credential=a/b", b"Bearer \xff"])
def test_open_mode_without_readable_credentials(tmp_path: Path, authorization: bytes) -> None:
    by = authenticator(tmp_path, open_mode=True)
    caller = who(by, sign().replaced(b"authorization", authorization))
    assert (caller.account, caller.region) == ("000000000000", "us-east-1")
