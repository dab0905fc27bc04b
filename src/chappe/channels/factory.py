"""Providers from their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from chappe.channels.base import Provider
from chappe.channels.sandbox import SandboxProvider
from chappe.channels.settings import ProviderSettings, SandboxSettings, Secret, SmtpSettings, WebhookSettings
from chappe.model.errors import InvalidConfiguration


def build_providers(settings: Mapping[str, ProviderSettings], *, webhook_secret: Secret) -> dict[str, Provider]:
    """One provider for each entry, by name. To be closed with `aclose`.

    `webhook_secret` signs for webhook providers that have no secret of their own. Raises
    `InvalidConfiguration` for a file that cannot be used. Opens no connection. Clients of protocols are imported where
    they are used, so that a server without them starts sooner.
    """
    return {name: _build(name, entry, webhook_secret) for name, entry in settings.items()}


def _build(name: str, settings: ProviderSettings, webhook_secret: Secret) -> Provider:
    try:
        match settings:
            case SmtpSettings():
                from chappe.channels.email import SmtpProvider  # noqa: PLC0415 (see above)

                return SmtpProvider(name, settings)
            case WebhookSettings():
                from chappe.channels.webhook import WebhookProvider  # noqa: PLC0415

                return WebhookProvider(name, settings, fallback_secret=webhook_secret)
            case SandboxSettings():
                return SandboxProvider(name, settings)
            case _:
                assert_never(settings)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidConfiguration(f"providers.{name}: a file cannot be used: {error}", provider=name) from error
