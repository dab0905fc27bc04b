from __future__ import annotations

from chappe.api.limits import HttpLimits
from chappe.config import Config
from chappe.pipeline.backoff import RetryPolicy
from chappe.pipeline.breaker import BreakerPolicy


def test_the_limits_are_those_of_the_http_server_by_the_same_names() -> None:
    assert Config().limits.http == HttpLimits()


def test_the_pipeline_settings_are_its_policies() -> None:
    assert Config().pipeline.retry == RetryPolicy()
    assert Config().pipeline.breaker == BreakerPolicy()
