from __future__ import annotations

from chappe.api.limits import HttpLimits
from chappe.config import Config


def test_the_limits_are_those_of_the_http_server_by_the_same_names() -> None:
    assert Config().limits.http == HttpLimits()
