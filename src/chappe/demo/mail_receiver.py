"""A real mail server on loopback that keeps what it is sent, and is troublesome on request.

`fail+once...` is refused for now at the first attempt of each message (451), `fail+permanent@...` for good (550).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class MailReceiver:
    """Takes every message but those for the two troublesome addresses; keeps each as a file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.received = 0
        self.folder = folder
        self._refused_once: set[str] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on loopback; `port` 0 takes a free one. Answers the port. Raises `OSError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    def _protocol(self) -> SMTP:
        return SMTP(self, hostname="localhost", ident="Chappe demonstration", enable_SMTPUTF8=True)

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        if address.startswith("fail+permanent@"):
            return "550 5.1.1 this mailbox does not exist"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        name = _file_name(content)
        if envelope.rcpt_tos[0].startswith("fail+once") and name not in self._refused_once:
            self._refused_once.add(name)
            return "451 4.3.2 not now, try again"
        (self.folder / name).write_bytes(content)
        self.received += 1
        return f"250 2.0.0 kept as {name}"


def _file_name(content: bytes) -> str:
    message_id = str(message_from_bytes(content).get("Message-ID", "without-id"))
    return re.sub(r"[^A-Za-z0-9._-]", "", message_id.partition("@")[0])[:100] + ".eml"
