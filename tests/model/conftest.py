"""Profiles for the state machine: `pytest --hypothesis-profile=deep tests/model` looks for hours, not for a minute."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "default", max_examples=250, stateful_step_count=60, deadline=None, suppress_health_check=SLOW_IS_FINE
)
settings.register_profile(
    "deep", max_examples=20_000, stateful_step_count=200, deadline=None, suppress_health_check=SLOW_IS_FINE
)
