from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
import pytest
import uvloop
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from chappe.channels.base import Outbound, PermanentFailure, TemporaryFailure
from chappe.channels.email import SmtpProvider
from chappe.channels.settings import Secret, SmtpSettings
from chappe.model.customer import Content, Purpose, Recipient

from .conftest import Serve

Make = Callable[..., Outbound]


@pytest.fixture(autouse=True)
def _quiet_server() -> None:
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Mailroom:
    """What an aiosmtpd server received, connection by connection."""

    def __init__(self, rcpt_replies: dict[str, str] | None = None, data_reply: str = "250 2.0.0 kept") -> None:
        self.envelopes: list[Envelope] = []
        self.sessions: list[Session] = []
        self.rcpt_replies = rcpt_replies or {}
        self.data_reply = data_reply

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        if reply := self.rcpt_replies.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        self.sessions.append(session)
        return self.data_reply

    def protocol(self, **options: object) -> Callable[[], SMTP]:
        return lambda: SMTP(self, hostname="sink.example", enable_SMTPUTF8=True, **options)


def settings(port: int, **changes: object) -> SmtpSettings:
    fields: dict[str, object] = {
        "host": "localhost",
        "port": port,
        "sender": "Acme <no-reply@acme.example>",
        "security": "none",
        "local_hostname": "chappe.example",
        "timeout_seconds": 30.0,
    }
    return SmtpSettings(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def provider() -> AsyncIterator[Callable[..., SmtpProvider]]:
    made: list[SmtpProvider] = []

    def make(port: int, **changes: object) -> SmtpProvider:
        made.append(SmtpProvider("mail", settings(port, **changes), wall_clock=lambda: 1_760_000_000.0))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


Provide = Callable[..., SmtpProvider]


async def test_the_server_receives_exactly_what_was_composed(serve: Serve, provider: Provide, outbound: Make) -> None:
    room = Mailroom()
    port = await serve(protocol=room.protocol())
    message = outbound(
        purpose=Purpose.PROMOTIONAL,
        content=Content(subject="News", text="One\n.dot at the start\n..two\n"),
        unsubscribe_url="https://chappe.example/u/t0k3n",
    )
    reply = await provider(port).send(message)

    assert (reply.text, reply.provider_message_id) == ("250 2.0.0 kept", "<01jb2w4xq8@acme.example>")
    (envelope,) = room.envelopes
    assert envelope.mail_from == "no-reply@acme.example"
    assert envelope.rcpt_tos == ["ada@example.com"]
    assert envelope.original_content == (
        b"Date: Thu, 09 Oct 2025 08:53:20 +0000\r\n"
        b"Message-ID: <01jb2w4xq8@acme.example>\r\n"
        b"From: Acme <no-reply@acme.example>\r\n"
        b"To: ada@example.com\r\n"
        b"Subject: News\r\n"
        b"List-Unsubscribe: <https://chappe.example/u/t0k3n>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"MIME-Version: 1.0\r\n"
        b"\r\n"
        b"One\r\n.dot at the start\r\n..two\r\n"
    )


async def test_one_connection_carries_message_after_message(serve: Serve, provider: Provide, outbound: Make) -> None:
    room = Mailroom()
    mail = provider(await serve(protocol=room.protocol()))
    for n in range(5):
        await mail.send(outbound(message_id=f"m{n}"))
    assert len({session.peer for session in room.sessions}) == 1


async def test_a_connection_is_replaced_after_its_share_of_messages(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    room = Mailroom()
    mail = provider(await serve(protocol=room.protocol()), messages_per_connection=2)
    for n in range(5):
        await mail.send(outbound(message_id=f"m{n}"))
    assert len({session.peer for session in room.sessions}) == 3


async def test_no_more_connections_than_allowed(serve: Serve, provider: Provide, outbound: Make) -> None:
    room = Mailroom()
    mail = provider(await serve(protocol=room.protocol()), max_connections=3)
    await asyncio.gather(*(mail.send(outbound(message_id=f"m{n}")) for n in range(30)))
    assert len(room.envelopes) == 30
    assert len({session.peer for session in room.sessions}) <= 3


async def test_starttls_verifies_the_server(
    serve: Serve, provider: Provide, outbound: Make, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    room = Mailroom()
    port = await serve(protocol=room.protocol(tls_context=server_tls, require_starttls=True))
    await provider(port, security="starttls", ca_file=ca_file).send(outbound())
    assert room.sessions[0].ssl is not None

    with pytest.raises(TemporaryFailure, match="CERTIFICATE_VERIFY_FAILED"):
        await provider(port, security="starttls").send(outbound())
    with pytest.raises(TemporaryFailure, match=r"127\.0\.0\.2"):
        await provider(
            await serve(protocol=room.protocol(tls_context=server_tls), host="127.0.0.2"),
            security="starttls",
            ca_file=ca_file,
            host="127.0.0.2",
        ).send(outbound())
    assert len(room.envelopes) == 1


async def test_a_server_without_starttls_gets_nothing(
    serve: Serve, provider: Provide, outbound: Make, ca_file: Path
) -> None:
    room = Mailroom()
    port = await serve(protocol=room.protocol())
    with pytest.raises(TemporaryFailure, match="STARTTLS"):
        await provider(port, security="starttls", ca_file=ca_file).send(outbound())
    assert room.envelopes == []


async def test_implicit_tls(
    serve: Serve, provider: Provide, outbound: Make, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    room = Mailroom()
    port = await serve(protocol=room.protocol(), tls=server_tls)
    await provider(port, security="tls", ca_file=ca_file).send(outbound())
    assert len(room.envelopes) == 1


def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    right = (data.login, data.password) == (b"acme", "pässword".encode())
    return AuthResult(success=right, handled=False)


async def test_auth(serve: Serve, provider: Provide, outbound: Make, server_tls: ssl.SSLContext, ca_file: Path) -> None:
    room = Mailroom()
    port = await serve(protocol=room.protocol(tls_context=server_tls, authenticator=authenticator, auth_required=True))
    tls = {"security": "starttls", "ca_file": ca_file}
    await provider(port, **tls, username="acme", password=Secret("pässword")).send(outbound())
    assert room.sessions[0].authenticated

    with pytest.raises(TemporaryFailure) as caught:
        await provider(port, **tls, username="acme", password=Secret("guess")).send(outbound())
    assert caught.value.code == "smtp_535"
    assert "guess" not in str(caught.value)
    assert base64.b64encode(b"guess").decode() not in str(caught.value)
    assert len(room.envelopes) == 1


@pytest.mark.parametrize(
    ("reply", "failure", "code"),
    [
        ("550 5.1.1 no such mailbox", PermanentFailure, "smtp_550"),
        ("450 4.2.0 greylisted", TemporaryFailure, "smtp_450"),
    ],
)
async def test_a_refused_recipient(
    serve: Serve, provider: Provide, outbound: Make, reply: str, failure: type[Exception], code: str
) -> None:
    room = Mailroom(rcpt_replies={"nobody@example.com": reply})
    mail = provider(await serve(protocol=room.protocol()))
    with pytest.raises(failure) as caught:
        await mail.send(outbound(to=Recipient(email="nobody@example.com")))
    assert caught.value.code == code  # type: ignore[attr-defined]
    assert caught.value.reply == reply  # type: ignore[attr-defined]

    await mail.send(outbound())
    await mail.send(outbound())
    assert [envelope.rcpt_tos for envelope in room.envelopes] == [["ada@example.com"]] * 2


async def test_a_greylisted_recipient_says_nothing_of_the_server(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    room = Mailroom(
        rcpt_replies={"grey@example.com": "450 4.2.0 greylisted", "off@example.com": "421 4.3.2 shutting down"},
        data_reply="451 4.3.0 disk full",
    )
    mail = provider(await serve(protocol=room.protocol()))
    for recipient, of_recipient in (("grey@example.com", True), ("off@example.com", False), ("ada@example.com", False)):
        with pytest.raises(TemporaryFailure) as caught:
            await mail.send(outbound(to=Recipient(email=recipient)))
        assert caught.value.of_recipient is of_recipient


@pytest.mark.parametrize(
    ("reply", "failure"), [("554 5.7.1 spam", PermanentFailure), ("451 try later", TemporaryFailure)]
)
async def test_refused_content(
    serve: Serve, provider: Provide, outbound: Make, reply: str, failure: type[Exception]
) -> None:
    room = Mailroom(data_reply=reply)
    mail = provider(await serve(protocol=room.protocol()))
    with pytest.raises(failure, match=reply[4:]):
        await mail.send(outbound())


async def test_a_message_larger_than_the_server_takes_fails_for_good(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    room = Mailroom()
    mail = provider(await serve(protocol=room.protocol(data_size_limit=1000)))
    with pytest.raises(PermanentFailure) as caught:
        await mail.send(outbound(content=Content(text="x" * 2000)))
    assert caught.value.code == "smtp_552"


async def test_international_mailboxes(serve: Serve, provider: Provide, outbound: Make) -> None:
    room = Mailroom()
    mail = provider(await serve(protocol=room.protocol()))
    await mail.send(outbound(to=Recipient(email="jürgen@müller.example")))
    (envelope,) = room.envelopes
    assert envelope.rcpt_tos == ["jürgen@xn--mller-kva.example"]
    assert envelope.smtp_utf8


async def test_without_smtputf8_an_international_mailbox_fails_for_good(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    room = Mailroom()
    mail = provider(await serve(protocol=lambda: SMTP(room, hostname="sink.example")))
    with pytest.raises(PermanentFailure) as caught:
        await mail.send(outbound(to=Recipient(email="jürgen@example.com")))
    assert caught.value.code == "smtputf8_unsupported"
    await mail.send(outbound())
    assert len(room.envelopes) == 1


class Script:
    """A server that says its lines, whatever it hears. None closes the connection; ... is silence."""

    def __init__(self, *connections: Sequence[str | None]) -> None:
        self.connections = [list(lines) for lines in connections]
        self.heard: list[bytes] = []
        self.fell_silent = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in self.connections.pop(0):
            if line is None:
                return
            if line == "...":
                self.fell_silent.set()
                await asyncio.sleep(3600)
            writer.write(line.encode() + b"\r\n")
            await writer.drain()
            if line.startswith("354"):
                await reader.readuntil(b"\r\n.\r\n")
            else:
                self.heard.append(await reader.readline())


GOOD = ["220 hi", "250 sink", "250 from ok", "250 to ok", "354 go on", "250 kept"]


async def test_a_reused_connection_found_closed_is_replaced_without_failing(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    script = Script([*GOOD, None], GOOD)
    mail = provider(await serve(script))
    assert (await mail.send(outbound())).text == "250 kept"
    assert (await mail.send(outbound())).text == "250 kept"
    assert script.connections == []


async def test_a_reused_connection_that_says_421_is_replaced_without_failing(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    mail = provider(await serve(Script([*GOOD, "421 idle too long"], GOOD)))
    assert (await mail.send(outbound())).text == "250 kept"
    assert (await mail.send(outbound())).text == "250 kept"


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5])
async def test_a_connection_lost_midway_is_a_temporary_failure(
    serve: Serve, provider: Provide, outbound: Make, at: int
) -> None:
    mail = provider(await serve(Script([*GOOD[:at], None])))
    with pytest.raises(TemporaryFailure) as caught:
        await mail.send(outbound())
    assert caught.value.code == "smtp_unreachable"


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5])
async def test_a_silent_server_is_a_temporary_failure(serve: Serve, provider: Provide, outbound: Make, at: int) -> None:
    mail = provider(await serve(Script([*GOOD[:at], "..."])), timeout_seconds=0.1)
    with pytest.raises(TemporaryFailure) as caught:
        await mail.send(outbound())
    assert caught.value.code == "smtp_timeout"


async def test_a_server_that_refuses_us_is_no_verdict_on_the_message(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        await provider(await serve(Script(["554 go away"]))).send(outbound())
    assert (caught.value.code, caught.value.reply) == ("smtp_554", "554 go away")


async def test_a_server_that_speaks_nonsense_is_a_temporary_failure(
    serve: Serve, provider: Provide, outbound: Make
) -> None:
    for line in ("HTTP/1.1 400 Bad Request", "220 " + "x" * 100_000):
        with pytest.raises(TemporaryFailure):
            await provider(await serve(Script([line]))).send(outbound())


async def test_nobody_listening_is_a_temporary_failure(serve: Serve, provider: Provide, outbound: Make) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        await provider(1).send(outbound())
    assert caught.value.code == "smtp_unreachable"


async def test_a_helo_only_server(serve: Serve, provider: Provide, outbound: Make) -> None:
    script = Script(["220 hi", "502 what?", "250 sink", *GOOD[2:]])
    assert (await provider(await serve(script)).send(outbound())).text == "250 kept"
    assert script.heard[:2] == [b"EHLO chappe.example\r\n", b"HELO chappe.example\r\n"]


async def test_a_reply_is_one_bounded_line(serve: Serve, provider: Provide, outbound: Make) -> None:
    script = Script([*GOOD[:3], "550-first\x1b[31m\r\n550 " + "x" * 2000, "250 reset"])
    with pytest.raises(PermanentFailure) as caught:
        await provider(await serve(script)).send(outbound())
    assert caught.value.reply.startswith("550 first [31m xxx")
    assert len(caught.value.reply) == 300


async def test_a_cancelled_attempt_gives_its_slot_back(serve: Serve, provider: Provide, outbound: Make) -> None:
    script = Script([*GOOD[:2], "..."], GOOD)
    mail = provider(await serve(script), max_connections=1)
    task = asyncio.ensure_future(mail.send(outbound()))
    await script.fell_silent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await mail.send(outbound())).text == "250 kept"


def test_starttls_under_uvloop(server_tls: ssl.SSLContext, ca_file: Path, outbound: Make) -> None:
    async def scenario() -> list[Envelope]:
        room = Mailroom()
        server = await asyncio.get_running_loop().create_server(
            room.protocol(tls_context=server_tls, require_starttls=True), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        mail = SmtpProvider("mail", settings(port, security="starttls", ca_file=ca_file))
        await mail.send(outbound())
        await mail.send(outbound())
        await mail.aclose()
        server.close()
        return room.envelopes

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert len(runner.run(scenario())) == 2


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "LOCALHOST."])
def test_plain_text_is_for_this_machine(host: str) -> None:
    assert SmtpSettings(host=host, sender="a@b.example", security="none").effective_port == 25


@pytest.mark.parametrize("host", ["mail.example.com", "10.0.0.5", "localhost.example.com", "127.0.0.1.example"])
def test_plain_text_elsewhere_must_be_allowed(host: str) -> None:
    with pytest.raises(ValueError, match="allow_plain"):
        SmtpSettings(host=host, sender="a@b.example", security="none")
    SmtpSettings(host=host, sender="a@b.example", security="none", allow_plain=True)


def test_ports_follow_the_protection() -> None:
    ports = [
        SmtpSettings(host="localhost", sender="a@b.example", security=security).effective_port
        for security in ("starttls", "tls", "none")
    ]
    assert ports == [587, 465, 25]


def test_a_password_does_not_show() -> None:
    shown = repr(settings(25, username="u", password=Secret("hunter2"), security="tls"))
    assert "hunter2" not in shown
    with pytest.raises(TypeError):
        msgspec.json.encode(settings(25, username="u", password=Secret("hunter2"), security="tls"))
