from __future__ import annotations

from pathlib import Path

import pytest

from chappe.channels.factory import build_providers
from chappe.channels.settings import SandboxSettings, Secret, SmtpSettings, WebhookSettings
from chappe.channels.webhook_signing import generate_secret
from chappe.model.customer import Channel
from chappe.model.errors import InvalidConfiguration

SECRET = Secret(generate_secret())


async def test_one_provider_for_each_entry_by_name() -> None:
    mail = SmtpSettings(host="localhost", sender="a@acme.example")
    settings = {"mail": mail, "reserve": mail, "hooks": WebhookSettings(), "play": SandboxSettings()}
    providers = build_providers(settings, webhook_secret=SECRET)
    assert [provider.name for provider in providers.values()] == list(providers) == list(settings)
    assert providers["mail"].channels == {Channel.EMAIL}
    assert providers["hooks"].channels == {Channel.WEBHOOK}
    assert providers["play"].channels == set(Channel)
    for provider in providers.values():
        await provider.aclose()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_cannot_be_used_is_a_configuration_error(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    for settings in (
        SmtpSettings(host="localhost", sender="a@acme.example", ca_file=file),
        WebhookSettings(ca_file=file),
        SandboxSettings(file=tmp_path / "nowhere" / "taken.jsonl"),
    ):
        with pytest.raises(InvalidConfiguration, match=r"^providers\.odd: "):
            build_providers({"odd": settings}, webhook_secret=SECRET)
