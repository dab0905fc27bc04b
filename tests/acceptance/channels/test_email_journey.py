"""From POST /v1/messages to a real mail server, and back by one click."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import structlog
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from chappe.channels.settings import Secret, SmtpSettings
from chappe.compliance.sender.profile import SenderProfile

from .conftest import Serve

URL = "https://messages.acme.example"


class Mailroom:
    def __init__(self, reply: str = "250 2.0.0 kept") -> None:
        self.reply = reply
        self.mails: list[EmailMessage] = []
        self.sessions: list[Session] = []

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.reply.startswith("250"):
            mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.sessions.append(session)
        return self.reply


@pytest.fixture
async def listen() -> AsyncIterator[Callable[..., object]]:
    servers: list[asyncio.Server] = []

    async def start(room: Mailroom, **options: object) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(room, hostname="mail.example", enable_SMTPUTF8=True, **options), "127.0.0.1", 0
        )
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


def smtp(port: int, **changes: object) -> SmtpSettings:
    fields: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "Acme <no-reply@acme.example>",
        "local_hostname": "localhost",
    }
    return SmtpSettings(**{**fields, **changes})  # type: ignore[arg-type]


def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"acme", b"hunter2"), handled=False)


CONTENT = {"subject": "Grüße", "text": "Hallo.\n", "html": "<p>Hallo.</p>"}


async def test_a_mail_arrives_over_starttls_with_auth(
    chappe: Serve, listen: Callable[..., object], tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    room = Mailroom()
    port = await listen(room, tls_context=tls, require_starttls=True, authenticator=authenticator, auth_required=True)
    mail = smtp(port, security="starttls", ca_file=tmp_path / "ca.pem", username="acme", password=Secret("hunter2"))
    async with chappe({"mail": mail}) as client:
        message_id = await client.send(to={"email": "Jürgen@Müller.example"}, content=CONTENT)
        events = await client.settled(message_id)
    assert [event["status"] for event in events][-1] == "sent"
    assert events[-1]["reply"] == "250 2.0.0 kept"
    assert events[-1]["provider_message_id"] == f"<{message_id}@acme.example>"
    (received,) = room.mails
    assert received["Message-ID"] == f"<{message_id}@acme.example>"
    assert received["Subject"] == "Grüße"
    assert [part.get_content_type() for part in received.iter_parts()] == ["text/plain", "text/html"]
    assert "List-Unsubscribe" not in received
    assert room.sessions[0].ssl is not None
    assert room.sessions[0].authenticated


async def test_one_click_in_a_received_mail_ends_the_newsletter(chappe: Serve, listen: Callable[..., object]) -> None:
    room = Mailroom()
    async with chappe({"mail": smtp(await listen(room))}) as client:
        await client.consent("ada@example.com")
        newsletter = {"to": {"email": "ada@example.com"}, "purpose": "promotional", "content": CONTENT}
        events = await client.settled(await client.send(**newsletter))
        assert events[-1]["status"] == "sent", events
        (received,) = room.mails
        assert received["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        url = received["List-Unsubscribe"].strip("<>")
        assert url.startswith("https://messages.acme.example/")

        path = url.removeprefix("https://messages.acme.example")
        click = await client.http.post(
            path, content="List-Unsubscribe=One-Click", headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert click.status_code == 200

        again = await client.settled(await client.send(**newsletter))
        assert again[-1]["status"] == "blocked"
        code = await client.send(to={"email": "ada@example.com"}, content=CONTENT)
        assert (await client.settled(code))[-1]["status"] == "sent", "what she asked for still comes"
    assert len(room.mails) == 2


@pytest.mark.parametrize(
    ("mails", "public_url", "warned"), [(True, None, True), (True, URL, False), (False, None, False)]
)
async def test_without_unsubscribe_links_the_server_says_so(
    chappe: Serve, mails: bool, public_url: str | None, warned: bool
) -> None:
    mail = SmtpSettings(host="localhost", sender="a@b.co", security="none")
    with structlog.testing.capture_logs() as logs:
        async with chappe({"mail": mail} if mails else {}, public_url=public_url):
            pass
    assert any(line["event"] == "no_unsubscribe_links" for line in logs) is warned


async def test_without_a_public_url_promotional_mail_is_stopped(chappe: Serve, listen: Callable[..., object]) -> None:
    room = Mailroom()
    async with chappe({"mail": smtp(await listen(room))}, public_url=None) as client:
        await client.consent("ada@example.com")
        message_id = await client.send(to={"email": "ada@example.com"}, purpose="promotional", content=CONTENT)
        decision = (await client.settled(message_id))[-1]["decision"]
    (blocking,) = [rule for rule in decision["rules"] if rule["outcome"] == "block"]
    assert blocking["id"] == "global-mailbox-one-click"
    assert "set server.public_url" in blocking["reason"]
    assert room.mails == []


async def test_a_small_sender_without_a_public_url_sends_without_a_link(
    chappe: Serve, listen: Callable[..., object]
) -> None:
    room, small = Mailroom(), SenderProfile(messages_per_day=50)
    async with chappe({"mail": smtp(await listen(room))}, public_url=None, sender=small) as client:
        await client.consent("ada@example.com")
        message_id = await client.send(to={"email": "ada@example.com"}, purpose="promotional", content=CONTENT)
        assert (await client.settled(message_id))[-1]["status"] == "sent"
    assert "List-Unsubscribe" not in room.mails[0]


async def test_the_second_provider_takes_over(chappe: Serve, listen: Callable[..., object]) -> None:
    busy, room = Mailroom("451 4.3.2 busy"), Mailroom()
    providers = {"first": smtp(await listen(busy)), "second": smtp(await listen(room))}
    async with chappe(providers) as client:
        events = await client.settled(await client.send(to={"email": "ada@example.com"}, content=CONTENT))
    failed = [event for event in events if event.get("code")]
    assert [(event["provider"], event["code"], event["reply"]) for event in failed] == [
        ("first", "smtp_451", "451 4.3.2 busy")
    ]
    assert (events[-1]["status"], events[-1]["provider"]) == ("sent", "second")
    assert len(room.mails) == 1


async def test_a_mailbox_that_does_not_exist_is_tried_once(chappe: Serve, listen: Callable[..., object]) -> None:
    async with chappe({"mail": smtp(await listen(Mailroom()))}) as client:
        events = await client.settled(await client.send(to={"email": "nobody@example.com"}, content=CONTENT))
    assert events[-1]["status"] == "undelivered"
    assert events[-1]["reply"] == "550 5.1.1 no such mailbox"
    assert events[-1]["attempt"] == 1


async def test_a_server_that_is_away_is_tried_as_often_as_set(chappe: Serve) -> None:
    async with chappe({"mail": smtp(1)}) as client:
        events = await client.settled(await client.send(to={"email": "ada@example.com"}, content=CONTENT))
    assert events[-1]["status"] == "failed"
    assert max(event.get("attempt", 0) for event in events) == 4
