"""Writing down what happened to an engine."""

from __future__ import annotations

from typing import Any

from tests.conformance.clocks import START_MS, ManualClock

from chappe.engine.base import Engine
from chappe.model.errors import ChappeError


class Recorded:
    """An engine of which every call and answer is written down."""

    def __init__(self, engine: Engine, clock: ManualClock, story: list[str]) -> None:
        self._engine = engine
        self._clock = clock
        self._story = story

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)

        async def recorded(*arguments: Any, **options: Any) -> Any:
            told = ", ".join([*map(repr, arguments), *(f"{key}={value!r}" for key, value in options.items())])
            try:
                answer = await method(*arguments, **options)
            except ChappeError as error:
                self._story.append(f"{self._clock() - START_MS}: {name}({told}) raised {error!r}")
                raise
            self._story.append(f"{self._clock() - START_MS}: {name}({told}) -> {answer}")
            return answer

        return recorded
