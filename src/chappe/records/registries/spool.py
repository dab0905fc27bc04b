"""Taking a list that arrives in pieces into a file, within bounds."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from chappe.model.errors import InvalidInput, StorageFailed, StorageFull

LIST_BYTES_MAX = 4 << 30
"""Of a list as it is sent, packed or not."""
_WRITE_BYTES = 1 << 20


async def spool(chunks: AsyncIterator[bytes], path: Path) -> str:
    """Write the pieces to a new file, beside the event loop; the SHA-256 of them all.

    Raises `InvalidInput` for a list that is too long, `StorageFull`, `StorageFailed`; the file is gone then.
    """
    digest = sha256()
    size_bytes = 0
    held = bytearray()
    loop = asyncio.get_running_loop()

    def write(file_bytes: bytes) -> None:
        digest.update(file_bytes)
        file.write(file_bytes)

    try:
        with await loop.run_in_executor(None, _new_private_file, path) as file:
            async for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > LIST_BYTES_MAX:
                    raise InvalidInput(f"A list has at most {LIST_BYTES_MAX} bytes; pack it with gzip, or split it.")
                held += chunk
                if len(held) >= _WRITE_BYTES:
                    await loop.run_in_executor(None, write, bytes(held))
                    held.clear()
            await loop.run_in_executor(None, write, bytes(held))
            await loop.run_in_executor(None, file.flush)
    except OSError as error:
        discard(path)
        raise disk_error(error) from error
    except BaseException:
        discard(path)
        raise
    return digest.hexdigest()


def _new_private_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def discard(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def disk_error(error: OSError) -> StorageFull | StorageFailed:
    """What an error of the disk is called here."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("The disk is full; make room and try again.")
    return StorageFailed(f"The disk failed: {error.strerror}.")
