"""When a second opinion is asked for, and where: only about uncertain messages, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chappe.classify.model import Verdict
from chappe.classify.second.metadata import UNKNOWN, Metadata
from chappe.classify.second.opinion import SecondOpinion, combined, load_opinion

BAND = 0.2
"""By how much the probability of a verdict must be above a half for it to be certain. Of four classes the likeliest may
have far less than a half: those are the least certain of all."""
WAITING_MAX = 256
WAIT_SECONDS = 1.0
KEPT_MAX = 4_096
"""Answers that are kept: the same text goes to many."""


def is_uncertain(verdict: Verdict, band: float = BAND) -> bool:
    """Whether a verdict is one to ask a second opinion about. One that rests on no known word is, too."""
    return verdict.probability < 0.5 + band or not verdict.grams


class Consultant:
    """Asks for a second opinion, loading it when it is first needed. Use from one event loop.

    A confident verdict is returned as it is, without a thread or a wait. When more than `waiting_max` questions wait,
    or one has waited for `wait_seconds`, the first verdict is returned: an opinion that comes late is worth less than a
    message that goes on.
    """

    def __init__(
        self,
        load: Callable[[], SecondOpinion],
        band: float = BAND,
        waiting_max: int = WAITING_MAX,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.asked = self.changed = self.passed_over = 0
        self._load = load
        self._band = band
        self._waiting_max = waiting_max
        self._wait_seconds = wait_seconds
        self._kept: OrderedDict[tuple[str, Metadata], tuple[float, ...]] = OrderedDict()
        self._waiting = 0
        self._opinion: SecondOpinion | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="second-opinion")

    async def prepare(self) -> None:
        """Load it now. Raises `InvalidConfiguration` or `ExtraMissing`, as `load_opinion`."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)

    def is_uncertain(self, verdict: Verdict) -> bool:
        """Whether a second opinion would be asked for."""
        return is_uncertain(verdict, self._band)

    async def verdict(self, text: str, verdict: Verdict, metadata: Metadata = UNKNOWN) -> Verdict:
        """The verdict to go by."""
        if not self.is_uncertain(verdict):
            return verdict
        second = self._kept.get((text, metadata))
        if second is None:
            second = await self._asked(text, metadata)
        if second is None:
            self.passed_over += 1
            return verdict
        both = combined(verdict, second)
        self.asked += 1
        self.changed += both.label is not verdict.label
        return both

    async def _asked(self, text: str, metadata: Metadata) -> tuple[float, ...] | None:
        if self._waiting >= self._waiting_max:
            return None
        self._waiting += 1
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._thread, self._judge, text, metadata)
            second = await asyncio.wait_for(answer, self._wait_seconds)
        except TimeoutError:
            return None
        finally:
            self._waiting -= 1
        self._kept[text, metadata] = second
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return second

    def _judge(self, text: str, metadata: Metadata) -> tuple[float, ...]:
        return self._loaded().judge(text, metadata)

    def _loaded(self) -> SecondOpinion:
        if self._opinion is None:
            self._opinion = self._load()
        return self._opinion

    def close(self) -> None:
        """End the threads; questions that wait are answered first."""
        self._thread.shutdown()
        if self._opinion is not None:
            self._opinion.close()


def consultant(path: Path, embedding: Path | None = None, band: float = BAND) -> Consultant:
    """One over the second opinion in a file."""
    return Consultant(lambda: load_opinion(path, embedding), band)
