"""The receivers of the demonstration, and the configuration that sends everything to them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import msgspec

from chappe.channels.settings import SmtpSettings, WebhookSettings
from chappe.channels.webhook_secret import load_or_create
from chappe.compliance.sender.senders import DEFAULT
from chappe.config import Config
from chappe.demo.mail_receiver import MailReceiver
from chappe.demo.sender import ACME
from chappe.demo.webhook_receiver import WebhookReceiver

MAIL_PORT = 9325
WEBHOOK_PORT = 9326


class Receivers(msgspec.Struct, frozen=True):
    """Both receivers and the ports they listen on."""

    mail: MailReceiver
    mail_port: int
    webhooks: WebhookReceiver
    webhook_port: int


@contextlib.asynccontextmanager
async def receiving(config: Config) -> AsyncIterator[Receivers]:
    """Run both, keeping what they take in `demo/` of the data folder. A port in use is replaced by a free one."""
    config.server.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = config.server.data / "demo"
    folder.mkdir(exist_ok=True)
    mail = MailReceiver(folder / "mail")
    webhooks = WebhookReceiver(folder / "webhooks.jsonl", load_or_create(config.server.data).reveal())
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(mail.stop)
        stack.push_async_callback(webhooks.stop)
        yield Receivers(mail, await _start(mail, MAIL_PORT), webhooks, await _start(webhooks, WEBHOOK_PORT))


def demo_config(config: Config, receivers: Receivers) -> Config:
    """The same configuration with e-mail and webhooks going to the receivers, and text messages to the sandbox.

    Where it says nothing of who sends, that is `sender.ACME`: without a sender most advertising would be stopped.
    """
    mail = SmtpSettings(
        host="127.0.0.1",
        port=receivers.mail_port,
        security="none",
        sender="Acme <no-reply@acme.example>",
        local_hostname="localhost",
    )
    webhook = WebhookSettings(allow_http=True, allowed_networks=("127.0.0.0/8", "::1/128"))
    server = config.server
    if server.public_url is None and server.port:
        server = msgspec.structs.replace(server, public_url=f"http://{server.host}:{server.port}")
    return msgspec.structs.replace(
        config,
        server=server,
        senders=config.senders or {DEFAULT: ACME},
        providers={**config.providers, "demo-mail": mail, "webhook": webhook},
        routes=msgspec.structs.replace(config.routes, email=("demo-mail",), sms=("sandbox",), webhook=("webhook",)),
    )


async def _start(receiver: MailReceiver | WebhookReceiver, port: int) -> int:
    try:
        return await receiver.start(port)
    except OSError:
        return await receiver.start(0)
