"""Small files with secrets: only their owner may read them, and they are replaced whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from chappe.model.errors import InvalidConfiguration

_OTHERS = 0o077


def read_private_file(path: Path) -> bytes | None:
    """The content, or None if there is no such file.

    Raises `InvalidConfiguration` if it cannot be read, or if other users can.
    """
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            content = stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidConfiguration(
            f"{path} cannot be read: {error.strerror}. It must be a file of the user who runs Chappe.", path=str(path)
        ) from error
    if mode & _OTHERS:
        raise InvalidConfiguration(
            f"{path} can be read by other users (mode {mode:04o}); it holds secrets. Run: chmod 600 {path}",
            path=str(path),
        )
    return content


def replace_private_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` with mode 0600, whole or not at all, and flushed to the disk."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
