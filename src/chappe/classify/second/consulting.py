"""When a second opinion is asked for, and where: only about uncertain messages, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chappe.classify.model import Verdict
from chappe.classify.second.metadata import UNKNOWN, Metadata
from chappe.classify.second.opinion import SecondOpinion, combined, load_opinion

BAND = 0.2
"""Half the width of what is uncertain: verdicts whose probability lies within this of a half."""
WAITING_MAX = 256


class Consultant:
    """Asks for a second opinion, loading it when it is first needed. Use from one event loop.

    A confident verdict is returned as it is, without a thread or a wait. When more than `waiting_max` questions wait,
    further ones get the first verdict: an opinion that comes late is worth less than a message that goes on.
    """

    def __init__(self, load: Callable[[], SecondOpinion], band: float = BAND, waiting_max: int = WAITING_MAX) -> None:
        self.asked = self.changed = self.passed_over = 0
        self._load = load
        self._band = band
        self._waiting_max = waiting_max
        self._waiting = 0
        self._opinion: SecondOpinion | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="second-opinion")

    def is_uncertain(self, verdict: Verdict) -> bool:
        return abs(verdict.probability - 0.5) < self._band

    async def verdict(self, text: str, verdict: Verdict, metadata: Metadata = UNKNOWN) -> Verdict:
        """The verdict to go by."""
        if not self.is_uncertain(verdict):
            return verdict
        if self._waiting >= self._waiting_max:
            self.passed_over += 1
            return verdict
        self._waiting += 1
        try:
            second = await asyncio.get_running_loop().run_in_executor(self._thread, self._judge, text, metadata)
        finally:
            self._waiting -= 1
        both = combined(verdict, second)
        self.asked += 1
        self.changed += both.label is not verdict.label
        return both

    def _judge(self, text: str, metadata: Metadata) -> tuple[float, ...]:
        if self._opinion is None:
            self._opinion = self._load()
        return self._opinion.judge(text, metadata)

    def close(self) -> None:
        """End the threads; questions that wait are answered first."""
        self._thread.shutdown()
        if self._opinion is not None:
            self._opinion.close()


def consultant(path: Path, embedding: Path | None = None, band: float = BAND) -> Consultant:
    """One over the second opinion in a file."""
    return Consultant(lambda: load_opinion(path, embedding), band)
