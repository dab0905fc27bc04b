"""[pipeline]: how often and when a message is tried again, and when a provider is left alone."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.pipeline import context as pipeline_context
from chappe.pipeline.providers.backoff import RetryPolicy
from chappe.pipeline.providers.breaker import BreakerPolicy

_PIPELINE = pipeline_context.PipelineSettings()
_RETRY = _PIPELINE.retry
_BREAKER = _PIPELINE.breaker


class PipelineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often and when a message is tried again, and when a provider is left alone."""

    max_attempts: Annotated[
        int,
        Meta(
            ge=1, le=100, description="Attempts at one message, over all providers of its route, before it is given up."
        ),
    ] = _RETRY.attempts
    min_backoff_ms: Annotated[int, Meta(ge=0, le=3_600_000, description="Shortest wait before another attempt.")] = (
        _RETRY.floor_ms
    )
    first_backoff_ms: Annotated[
        int, Meta(ge=1, le=3_600_000, description="Longest wait before the second attempt.")
    ] = _RETRY.first_ms
    backoff_factor: Annotated[
        float, Meta(ge=1, le=100, description="By how much the longest wait grows with each attempt.")
    ] = _RETRY.factor
    max_backoff_ms: Annotated[int, Meta(ge=1, le=86_400_000, description="Where the longest wait stops growing.")] = (
        _RETRY.cap_ms
    )
    recipient_backoff_ms: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400_000,
            description="Shortest wait before the second attempt when a mail server refused only this recipient for "
            "the time being (greylisting, a full mailbox). It grows by `backoff_factor`.",
        ),
    ] = _RETRY.recipient_first_ms
    max_recipient_backoff_ms: Annotated[
        int, Meta(ge=1, le=86_400_000, description="Where that wait stops growing.")
    ] = _RETRY.recipient_cap_ms
    max_retry_after_ms: Annotated[
        int, Meta(ge=0, le=604_800_000, description="How far a provider's own wish (Retry-After) is kept to.")
    ] = _RETRY.asked_cap_ms
    max_unreachable_ms: Annotated[
        int,
        Meta(
            ge=1,
            le=2_592_000_000,
            description="How long a message waits, using up no attempts, while every provider of its route is "
            "being left alone.",
        ),
    ] = _RETRY.patience_ms
    breaker_failures: Annotated[
        int, Meta(ge=1, le=10_000, description="Temporary failures in a row after which a provider is left alone.")
    ] = _BREAKER.failures_to_open
    breaker_open_ms: Annotated[
        int, Meta(ge=1, le=86_400_000, description="For how long at first; twice as long after each failed trial.")
    ] = _BREAKER.open_ms
    breaker_max_open_ms: Annotated[int, Meta(ge=1, le=86_400_000, description="For how long at most.")] = (
        _BREAKER.open_cap_ms
    )

    stop_grace_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="How long attempts under way may take to end when the server stops.")
    ] = _PIPELINE.stop_grace_seconds

    def __post_init__(self) -> None:
        if self.min_backoff_ms > self.first_backoff_ms:
            raise ValueError(
                f"min_backoff_ms: the shortest wait, {self.min_backoff_ms}, must not exceed first_backoff_ms, "
                f"{self.first_backoff_ms}"
            )

    @property
    def retry(self) -> RetryPolicy:
        """The same for the pipeline: when a message is tried again."""
        return RetryPolicy(
            attempts=self.max_attempts,
            floor_ms=self.min_backoff_ms,
            first_ms=self.first_backoff_ms,
            factor=self.backoff_factor,
            cap_ms=self.max_backoff_ms,
            recipient_first_ms=self.recipient_backoff_ms,
            recipient_cap_ms=self.max_recipient_backoff_ms,
            asked_cap_ms=self.max_retry_after_ms,
            patience_ms=self.max_unreachable_ms,
        )

    @property
    def breaker(self) -> BreakerPolicy:
        """The same for the pipeline: when a provider is left alone."""
        return BreakerPolicy(
            failures_to_open=self.breaker_failures,
            open_ms=self.breaker_open_ms,
            open_cap_ms=self.breaker_max_open_ms,
        )
