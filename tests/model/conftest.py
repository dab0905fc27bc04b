"""`pytest --hypothesis-profile=deep tests/model` lets the state machine look for hours instead of a minute."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("deep", max_examples=20_000, stateful_step_count=200)
