"""The key store: what is kept, who may read it, and that every change is seen and survives."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from chappe.model.errors import InvalidConfiguration, InvalidInput, NotFound
from chappe.security.first_credentials import CREDENTIALS_FILE, ensure_first
from chappe.security.keys import KEYS_FILE, KeyStore

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path, now=lambda: WHEN)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_an_access_key_looks_like_one_of_aws_and_can_be_used_for_signing(store: KeyStore) -> None:
    key = store.create_access_key("deploy", account="123456789012")
    assert len(key.id) == 20
    assert key.id.startswith("AKIA")
    assert len(key.secret) == 40
    assert store.signing_secret(key.id) == (key.secret, "123456789012")
    assert store.access_keys() == [key]
    assert (key.name, key.created_at) == ("deploy", WHEN)


def test_an_api_key_is_shown_once_and_kept_as_a_hash(store: KeyStore) -> None:
    key, token = store.create_api_key("console")
    assert token.startswith("chp_")
    found = store.api_client(token)
    assert found is not None
    assert (found.key_id, found.name) == (key.id, "console")
    assert store.api_client(token + "x") is None
    assert store.api_client(key.id) is None
    assert token not in store.path.read_text()


def test_the_secret_is_not_in_the_representation_of_a_key(store: KeyStore) -> None:
    key = store.create_access_key()
    assert key.secret not in repr(key)


def test_keys_outlive_the_process(store: KeyStore, tmp_path: Path) -> None:
    key = store.create_access_key("a")
    _, token = store.create_api_key("b")
    again = KeyStore(tmp_path)
    assert again.access_keys() == [key]
    assert again.api_client(token) is not None


def test_a_revoked_key_is_gone(store: KeyStore, tmp_path: Path) -> None:
    access, (api, token) = store.create_access_key(), store.create_api_key()
    other = store.create_access_key()
    assert store.revoke(access.id) == access
    assert store.revoke(api.id) == api
    for each in (store, KeyStore(tmp_path)):
        assert each.signing_secret(access.id) is None
        assert each.api_client(token) is None
        assert each.access_keys() == [other]
    with pytest.raises(NotFound, match=access.id):
        store.revoke(access.id)


def test_the_files_are_private(store: KeyStore) -> None:
    first = ensure_first(store, "http://127.0.0.1:9324")
    assert first is not None
    assert [mode(path) for path in (store.path, first.path)] == [0o600, 0o600]
    assert sorted(p.name for p in store.path.parent.iterdir()) == [CREDENTIALS_FILE, KEYS_FILE, "keys.lock"]


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o644, 0o666])
def test_a_file_that_others_can_read_is_refused(store: KeyStore, tmp_path: Path, bits: int) -> None:
    store.create_access_key()
    store.path.chmod(bits)
    with pytest.raises(InvalidConfiguration, match=rf"mode {bits:04o}.*chmod 600"):
        KeyStore(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged"),
        (b"{", "is damaged"),
        (b"[]", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b'{"version": 1, "access_keys": [{"id": 5}]}', "is damaged"),
        (b'{"version": 1, "surprise": 1}', "is damaged"),
        (b'{"version": 2, "surprise": 1}', "has version 2"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / KEYS_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InvalidConfiguration, match=message):
        KeyStore(tmp_path)
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / KEYS_FILE).mkdir(mode=0o700)
    with pytest.raises(InvalidConfiguration, match=KEYS_FILE):
        KeyStore(tmp_path)


@pytest.mark.parametrize("account", ["", "1", "12345678901x", "1234567890123", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_an_account_is_twelve_digits(store: KeyStore, account: str) -> None:
    with pytest.raises(InvalidInput):
        store.create_access_key(account=account)
    assert not store.path.exists()


def test_names_are_short_and_printable(store: KeyStore) -> None:
    for name in ("x" * 121, "line\nbreak", "\x1b[31m"):
        with pytest.raises(InvalidInput):
            store.create_api_key(name)


def test_a_running_server_sees_what_another_process_changed(store: KeyStore, tmp_path: Path) -> None:
    known = store.create_access_key()
    generation = store.generation
    store.refresh(recheck_seconds=0)
    assert store.generation == generation
    program = (
        "import sys; from pathlib import Path; from chappe.security.keys import KeyStore\n"
        "store = KeyStore(Path(sys.argv[1])); print(store.create_access_key('other').id)\n"
        "store.revoke(sys.argv[2])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), known.id], capture_output=True, text=True, check=True
    )
    store.refresh(recheck_seconds=0)
    assert store.generation != generation
    assert store.signing_secret(known.id) is None
    assert store.signing_secret(done.stdout.strip()) is not None


def test_between_two_looks_nothing_is_read(store: KeyStore, tmp_path: Path) -> None:
    KeyStore(tmp_path).create_access_key()
    store.refresh(recheck_seconds=3600)
    assert store.access_keys() == []


def test_if_the_file_turns_bad_the_known_keys_stay_in_force(store: KeyStore) -> None:
    key = store.create_access_key()
    store.path.chmod(0o644)
    store.path.write_text("{")
    with pytest.raises(InvalidConfiguration):
        store.refresh(recheck_seconds=0)
    assert store.signing_secret(key.id) is not None


def test_changes_of_several_processes_do_not_undo_each_other(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from chappe.security.keys import KeyStore\n"
        "store = KeyStore(Path(sys.argv[1]))\n"
        "for _ in range(10): store.create_access_key()"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(KeyStore(tmp_path).access_keys()) == 30


def test_the_first_start_makes_one_key_of_each_kind_and_keeps_the_lines(store: KeyStore) -> None:
    first = ensure_first(store, "http://127.0.0.1:9324")
    assert first is not None
    assert store.api_client(first.api_token) is not None
    assert first.lines == (
        "export AWS_ENDPOINT_URL=http://127.0.0.1:9324",
        f"export AWS_ACCESS_KEY_ID={first.access_key.id}",
        f"export AWS_SECRET_ACCESS_KEY={first.access_key.secret}",
        "export AWS_DEFAULT_REGION=us-east-1",
        "export CHAPPE_URL=http://127.0.0.1:9324",
        f"export CHAPPE_API_KEY={first.api_token}",
    )
    sourced = subprocess.run(
        ["/bin/sh", "-c", f'. "{first.path}" && printf %s "$AWS_SECRET_ACCESS_KEY"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sourced.stdout == first.access_key.secret
    assert ensure_first(store, "http://127.0.0.1:9324") is None
    assert len(store.access_keys()) == 1


def test_the_file_is_plain_json(store: KeyStore) -> None:
    store.create_access_key("a")
    content = msgspec.json.decode(store.path.read_bytes())
    assert content["version"] == 1
    assert content["access_keys"][0]["created_at"] == "2026-03-01T12:00:00Z"
