"""Access keys for the AWS APIs and API keys for REST, in one file of the data folder.

`keys.json` (mode 0600) holds access keys with their secret, because SigV4 needs the secret itself, and API
keys as a SHA-256 hash only: they carry 256 random bits, so a slow password hash would add nothing. Every
change rewrites the file beside itself, flushes it to the disk and renames it into place, under a lock that
the command line and the server share. A running server notices changes by the file's identity, size and time
(`refresh`).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import string
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from chappe.model.errors import InvalidConfiguration, InvalidInput, NotFound
from chappe.security.principal import DEFAULT_ACCOUNT, ApiClient
from chappe.security.private_file import read_private_file, replace_private_file

KEYS_FILE = "keys.json"
FILE_VERSION = 1
RECHECK_SECONDS = 1.0
NAME_MAX = 120

_KEY_ID_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


class AccessKey(msgspec.Struct, frozen=True):
    """A key pair for the AWS APIs. `account` (12 digits) owns what is created with it."""

    id: str
    secret: str
    account: str
    name: str
    created_at: datetime

    def __repr__(self) -> str:
        return f"AccessKey(id={self.id!r}, account={self.account!r}, name={self.name!r})"


class ApiKey(msgspec.Struct, frozen=True):
    """An API key as it is kept: `id` is the public start of the token, `token_hash` its SHA-256."""

    id: str
    token_hash: str
    name: str
    created_at: datetime


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `keys.json` contains."""

    version: int = FILE_VERSION
    access_keys: tuple[AccessKey, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()


class _Versioned(msgspec.Struct):
    version: int


class KeyStore:
    """The keys of one data folder. Not for use from several threads at once.

    Raises `InvalidConfiguration` if the file cannot be read, is damaged, or is open to other users.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime] | None = None) -> None:
        self.path = folder / KEYS_FILE
        self.generation = 0
        self._now = now or (lambda: datetime.now(UTC))
        self._seen: tuple[int, int, int] | None = None
        self._checked_at = time.monotonic()
        self._file = KeyFile()
        self._secrets: dict[str, tuple[str, str]] = {}
        self._clients: dict[str, ApiClient] = {}
        self._load()

    @property
    def made(self) -> bool:
        """Whether there is a key file, be it one without any key."""
        return self._seen is not None

    # --- looking up ---------------------------------------------------------------------------------------

    def signing_secret(self, access_key_id: str) -> tuple[str, str] | None:
        """The secret and the account of an access key, or None."""
        return self._secrets.get(access_key_id)

    def api_client(self, token: str) -> ApiClient | None:
        """Whose API key `token` is, or None. Looked up by its hash, so timing tells nothing."""
        return self._clients.get(_hashed(token))

    def access_keys(self) -> list[AccessKey]:
        return list(self._file.access_keys)

    def api_keys(self) -> list[ApiKey]:
        return list(self._file.api_keys)

    def refresh(self, *, recheck_seconds: float = RECHECK_SECONDS) -> None:
        """Take over what another process changed; looks at the file at most once in `recheck_seconds`.

        If the file has become unreadable the keys known so far stay in force and the error is raised.
        """
        now = time.monotonic()
        if now - self._checked_at >= recheck_seconds:
            self._checked_at = now
            if self._identity() != self._seen:
                self._load()

    # --- changing -----------------------------------------------------------------------------------------

    def create_access_key(self, name: str = "", *, account: str = DEFAULT_ACCOUNT) -> AccessKey:
        """Make and store a new access key. `account` is 12 digits."""
        key = self._new_access_key(name, account)
        with self._changing() as file:
            self._store(msgspec.structs.replace(file, access_keys=(*file.access_keys, key)))
        return key

    def create_api_key(self, name: str = "") -> tuple[ApiKey, str]:
        """Make and store a new API key; the second value is the token, which cannot be had again."""
        key, token = self._new_api_key(name)
        with self._changing() as file:
            self._store(msgspec.structs.replace(file, api_keys=(*file.api_keys, key)))
        return key, token

    def create_pair(
        self, name: str, *, account: str, before_storing: Callable[[AccessKey, str], None]
    ) -> tuple[AccessKey, str]:
        """Make one key of each kind and store both at once; the second value is the API key's token.

        `before_storing` is called with them first. Whatever it writes down is there before the keys are, so no crash
        leaves keys that nobody was told.
        """
        access_key = self._new_access_key(name, account)
        api_key, token = self._new_api_key(name)
        with self._changing() as file:
            before_storing(access_key, token)
            self._store(
                msgspec.structs.replace(
                    file, access_keys=(*file.access_keys, access_key), api_keys=(*file.api_keys, api_key)
                )
            )
        return access_key, token

    def _new_access_key(self, name: str, account: str) -> AccessKey:
        if len(account) != 12 or not account.isascii() or not account.isdigit():
            raise InvalidInput(f"account must be 12 digits, not {account!r}", account=account)
        return AccessKey(
            id="AKIA" + _random(_KEY_ID_ALPHABET, 16),
            secret=_random(_SECRET_ALPHABET, 40),
            account=account,
            name=_checked_name(name),
            created_at=self._now(),
        )

    def _new_api_key(self, name: str) -> tuple[ApiKey, str]:
        token = "chp_" + secrets.token_urlsafe(32)
        return ApiKey(token[:12], _hashed(token), _checked_name(name), self._now()), token

    def revoke(self, key_id: str) -> AccessKey | ApiKey:
        """Take away the access key or API key with this id. Raises `NotFound`."""
        with self._changing() as file:
            keys: list[AccessKey | ApiKey] = [*file.access_keys, *file.api_keys]
            for key in keys:
                if key.id == key_id:
                    self._store(
                        msgspec.structs.replace(
                            file,
                            access_keys=tuple(k for k in file.access_keys if k is not key),
                            api_keys=tuple(k for k in file.api_keys if k is not key),
                        )
                    )
                    return key
        raise NotFound(f"there is no key {key_id!r}; `chappe keys list` shows the ids", key_id=key_id)

    # --- the file -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _changing(self) -> Iterator[KeyFile]:
        """Hold the lock and give the file's newest content."""
        lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._load()
            yield self._file
        finally:
            os.close(lock)

    def _store(self, file: KeyFile) -> None:
        content = msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
        replace_private_file(self.path, content)
        self._load()

    def _load(self) -> None:
        self._seen = self._identity()
        file = self._read()
        self._file = file
        self._secrets = {key.id: (key.secret, key.account) for key in file.access_keys}
        self._clients = {key.token_hash: ApiClient(key.id, key.name) for key in file.api_keys}
        self.generation += 1

    def _read(self) -> KeyFile:
        content = read_private_file(self.path)
        if content is None:
            return KeyFile()
        try:
            version = msgspec.json.decode(content, type=_Versioned).version
            if version != FILE_VERSION:
                raise InvalidConfiguration(
                    f"{self.path} has version {version}; this Chappe reads version {FILE_VERSION}. "
                    "Use the Chappe that wrote it, or a newer one.",
                    path=str(self.path),
                )
            return msgspec.json.decode(content, type=KeyFile)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidConfiguration(
                f"{self.path} is damaged: {error}. Restore it from a backup, or move it away to start with new keys.",
                path=str(self.path),
            ) from error

    def _identity(self) -> tuple[int, int, int] | None:
        """What changes whenever the file does; None if there is no file."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _checked_name(name: str) -> str:
    if len(name) > NAME_MAX or not name.isprintable():
        raise InvalidInput(f"a key's name has at most {NAME_MAX} printable characters", name=name[:NAME_MAX])
    return name
