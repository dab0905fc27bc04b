"""The sandbox: takes messages of every channel and keeps them instead of sending them. For tests and
demonstrations.

Some recipients make it behave like a provider in trouble. By default (see `SandboxSettings`):

| recipient                                             | what happens                                  |
|-------------------------------------------------------|-----------------------------------------------|
| `fail+temporary@...`, `.../fail+temporary`, `+447700900801` | every attempt fails temporarily         |
| `fail+once@...`, `.../fail+once`, `+447700900802`     | the first attempt fails, the second succeeds  |
| `fail+permanent@...`, `.../fail+permanent`, `+447700900803` | refused for good                        |
| `slow@...`, `.../slow`, `+447700900804`               | taken after two seconds                       |

The telephone numbers belong to a range that Ofcom keeps free for drama. URLs and user names work alike.
"""

from __future__ import annotations

import asyncio
import fnmatch
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import IO

import msgspec

from chappe.channels.base import Outbound, PermanentFailure, Reply, TemporaryFailure
from chappe.channels.settings import SandboxSettings
from chappe.model.customer import Channel


class KeptMessage(msgspec.Struct, frozen=True):
    """One message as it was taken, and when."""

    taken_at_ms: int
    outbound: Outbound


class SandboxProvider:
    """Keeps the newest messages in `kept`, oldest first, and counts all of them in `taken` by channel."""

    channels: frozenset[Channel] = SandboxSettings.channels

    def __init__(self, name: str, settings: SandboxSettings, *, wall_clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self.kept: deque[KeptMessage] = deque(maxlen=settings.keep)
        self.taken: Counter[Channel] = Counter()
        self._settings = settings
        self._wall_clock = wall_clock
        self._fails_temporarily = _matcher(settings.fail_temporary)
        self._fails_once = _matcher(settings.fail_once)
        self._fails_permanently = _matcher(settings.fail_permanent)
        self._is_slow = _matcher(settings.slow)
        self._is_trouble = _matcher(
            (*settings.fail_temporary, *settings.fail_once, *settings.fail_permanent, *settings.slow)
        )
        self._count = 0
        self._file: IO[bytes] | None = None
        if settings.file:
            self._file = settings.file.open("ab")

    async def send(self, outbound: Outbound) -> Reply:
        address = outbound.to.address
        trouble = self._is_trouble(address)
        delay_ms = self._settings.slow_delay_ms if trouble and self._is_slow(address) else self._settings.delay_ms
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)
        if trouble:
            self._fail(outbound, address)
        self._keep(outbound)
        return Reply(text="kept", provider_message_id=f"sandbox-{self._count}")

    def _fail(self, outbound: Outbound, address: str) -> None:
        if self._fails_permanently(address):
            raise PermanentFailure("sandbox_permanent", f"{address} always fails permanently")
        if self._fails_temporarily(address):
            raise TemporaryFailure("sandbox_temporary", f"{address} always fails temporarily")
        if outbound.attempt == 1 and self._fails_once(address):
            raise TemporaryFailure("sandbox_once", f"{address} fails at the first attempt")

    async def aclose(self) -> None:
        if self._file is not None:
            self._file.close()

    def _keep(self, outbound: Outbound) -> None:
        message = KeptMessage(int(self._wall_clock() * 1000), outbound)
        if self._file is not None:
            self._file.write(msgspec.json.encode(message) + b"\n")
            self._file.flush()
        self.kept.append(message)
        self.taken[outbound.channel] += 1
        self._count += 1


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    expressions = [fnmatch.translate(pattern) for pattern in patterns]
    if not expressions:
        return lambda address: False
    search = re.compile("|".join(expressions)).match
    return lambda address: search(address) is not None
