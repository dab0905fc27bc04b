from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from chappe.channels.base import Outbound, PermanentFailure, Provider, TemporaryFailure
from chappe.channels.factory import build_providers
from chappe.channels.webhook_secret import load_or_create
from chappe.config import Config, ServerSettings
from chappe.demo import Receivers, demo_config, find_examples, receiving
from chappe.model.customer import Channel, Content, Purpose, Recipient


@asynccontextmanager
async def demonstration(folder: Path) -> AsyncIterator[tuple[Receivers, Config, dict[str, Provider]]]:
    config = Config(server=ServerSettings(data=folder, port=9324))
    async with receiving(config) as receivers:
        changed = demo_config(config, receivers)
        providers = build_providers(changed.providers, webhook_secret=load_or_create(folder))
        try:
            yield receivers, changed, providers
        finally:
            for provider in providers.values():
                await provider.aclose()


def message(to: Recipient, channel: Channel, message_id: str = "m1") -> Outbound:
    return Outbound(
        message_id=message_id,
        to=to,
        channel=channel,
        purpose=Purpose.TRANSACTIONAL,
        content=Content(subject="Hi", text="Hello", data={"a": 1}),
        attempt=1,
        created_at_ms=0,
    )


async def test_mail_is_kept_and_trouble_is_made_on_request(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as (receivers, config, providers):
        mail = providers[config.channel_routes[Channel.EMAIL][0]]
        await mail.send(message(Recipient(email="ada@example.com"), Channel.EMAIL))
        for message_id in ("m2", "m3"):
            once = message(Recipient(email="fail+once@example.com"), Channel.EMAIL, message_id)
            with pytest.raises(TemporaryFailure):
                await mail.send(once)
            await mail.send(once)
        with pytest.raises(PermanentFailure):
            await mail.send(message(Recipient(email="fail+permanent@example.com"), Channel.EMAIL, "m4"))
        assert receivers.mail.received == 3
        assert {file.name for file in receivers.mail.folder.iterdir()} == {"m1.eml", "m2.eml", "m3.eml"}
        assert b"To: ada@example.com\r\n" in (receivers.mail.folder / "m1.eml").read_bytes()


async def test_webhooks_are_verified_and_kept_and_trouble_is_made_on_request(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as (receivers, config, providers):
        hooks = providers[config.channel_routes[Channel.WEBHOOK][0]]
        origin = f"http://localhost:{receivers.webhook_port}"
        await hooks.send(message(Recipient(url=f"{origin}/shops/1"), Channel.WEBHOOK))
        once = message(Recipient(url=f"{origin}/fail+once"), Channel.WEBHOOK, "m2")
        with pytest.raises(TemporaryFailure) as caught:
            await hooks.send(once)
        assert caught.value.retry_after_ms == 1000
        await hooks.send(once)
        with pytest.raises(PermanentFailure):
            await hooks.send(message(Recipient(url=f"{origin}/gone"), Channel.WEBHOOK, "m3"))
        assert receivers.webhooks.received == 2
        kept = [json.loads(line) for line in receivers.webhooks.file.read_text().splitlines()]
        assert [entry["path"] for entry in kept] == ["/shops/1", "/fail+once"]
        assert kept[0]["body"]["content"] == {"subject": "Hi", "text": "Hello", "data": {"a": 1}}


async def test_a_webhook_that_is_not_signed_by_us_is_refused(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as (receivers, _, _):
        assert receivers.webhooks.take("/shops/1", {}, b"{}") == 401
        assert receivers.webhooks.received == 0


async def test_two_demonstrations_do_not_collide(tmp_path: Path) -> None:
    async with demonstration(tmp_path / "a") as (first, _, _), demonstration(tmp_path / "b") as (second, _, _):
        assert first.mail_port != second.mail_port
        assert first.webhook_port != second.webhook_port


async def test_the_configuration_keeps_what_it_was_told(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as (_, config, _):
        assert config.channel_routes[Channel.SMS] == ("sandbox",)
        assert config.server.public_url == "http://127.0.0.1:9324"
        told = msgspec.structs.replace(config.server, public_url="https://a.example")
        async with receiving(config) as receivers:
            again = demo_config(msgspec.structs.replace(config, server=told), receivers)
        assert again.server.public_url == "https://a.example"


def test_the_examples_are_found() -> None:
    assert find_examples().messages.name == "messages.jsonl"
