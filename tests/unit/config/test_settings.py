from __future__ import annotations

from typing import Any

import pytest

from chappe.api.limits import HttpLimits
from chappe.channels.settings import SmtpSettings
from chappe.config import Config, PipelineSettings, ServerSettings
from chappe.pipeline.providers.backoff import RetryPolicy
from chappe.pipeline.providers.breaker import BreakerPolicy


def test_the_limits_are_those_of_the_http_server_by_the_same_names() -> None:
    assert Config().limits.http == HttpLimits()


def test_the_pipeline_settings_are_its_policies() -> None:
    settings = Config().pipeline_settings
    assert settings.retry == RetryPolicy()
    assert settings.breaker == BreakerPolicy()


def test_the_pipeline_never_ends_an_attempt_before_the_provider_does() -> None:
    mail = SmtpSettings(host="localhost", sender="a@b.example", timeout_seconds=600, max_connections=3)
    settings = Config(providers={"mail": mail}).pipeline_settings
    assert settings.provider_timeout_seconds > 600
    assert settings.max_concurrent["mail"] == 3
    assert settings.max_concurrent["webhook"] == 100


def test_the_shortest_wait_is_not_longer_than_the_longest() -> None:
    assert PipelineSettings(min_backoff_ms=200, first_backoff_ms=200).min_backoff_ms == 200
    with pytest.raises(ValueError, match=r"^min_backoff_ms: .*first_backoff_ms"):
        PipelineSettings(min_backoff_ms=200)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"public_url": "https://messages.acme.example"}, "https://messages.acme.example"),
        ({}, "http://127.0.0.1:9324"),
        ({"host": "::1", "port": 9400}, "http://[::1]:9400"),
        ({"port": 0}, None),
        ({"host": "0.0.0.0"}, None),
    ],
)
def test_where_links_lead(given: dict[str, Any], url: str | None) -> None:
    assert ServerSettings(**given).links_url == url
