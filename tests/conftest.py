"""What holds for all tests.

A property is no less true on a machine that is slow or busy, so Hypothesis looks neither at how long an example takes
nor at how long it took to draw. Whatever else the environment chose stays: where `CI` is set the examples are the same
every time.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
