"""The begin of attempts, recorded without anyone waiting for it.

Begins of one pass of the event loop are recorded together. An attempt that ends within the pass hands its begin on with
its outcome, and both become one step.
"""

from __future__ import annotations

import asyncio

import structlog

from chappe.pipeline.delivery.held import Held
from chappe.records.messages import MessageRecords
from chappe.records.steps import Transition

_log = structlog.get_logger("chappe.pipeline")


class Starts:
    """Collects begins. If the process dies, the newest may be missing from the timelines."""

    def __init__(self, messages: MessageRecords) -> None:
        self._messages = messages
        self._waiting: list[tuple[Held, bool]] = []

    def begin(self, held: Held, started: Transition, *, urgent: bool) -> None:
        """An attempt begins."""
        held.started = started
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._record)
        self._waiting.append((held, urgent))

    @staticmethod
    def unrecorded(held: Held) -> tuple[Transition, ...]:
        """The begin of the attempt that has just ended, if it is still to be recorded: by the caller from now on."""
        started, held.started = held.started, None
        return () if started is None else (started,)

    def _record(self) -> None:
        waiting, self._waiting = self._waiting, []
        for urgency in (True, False):
            steps = [step for held, urgent in waiting if urgent is urgency for step in self.unrecorded(held)]
            if steps:
                self._messages.advance(steps, urgent=urgency).add_done_callback(_log_failure)


def _log_failure(recorded: asyncio.Future[None]) -> None:
    if not recorded.cancelled() and (error := recorded.exception()) is not None:
        _log.warning("attempts_not_recorded", reason=str(error))
