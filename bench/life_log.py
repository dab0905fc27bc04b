"""What connections that live messages through note down, whatever server they talk to."""

from __future__ import annotations

from bench.load import percentile

OPERATIONS = ("send", "receive", "delete")


class LifeLog:
    """What all connections did together. Times are those of `time.perf_counter`."""

    def __init__(self) -> None:
        self.deletions: list[tuple[float, int]] = []
        """When a deletion was acknowledged, and of how many messages."""
        self.latencies_ms: dict[str, list[float]] = {operation: [] for operation in OPERATIONS}

    def deleted_between(self, begun: float, seconds: float) -> int:
        """Messages whose deletion was acknowledged in a span of time."""
        return sum(count for at, count in self.deletions if begun <= at < begun + seconds)

    def p50_ms(self, operation: str) -> float:
        return percentile(sorted(self.latencies_ms[operation]), 50)

    def p99_ms(self, operation: str) -> float:
        return percentile(sorted(self.latencies_ms[operation]), 99)
