"""`kill -9` at random moments under load: nothing that was acknowledged is lost, nothing is accepted twice."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter

import httpx
import pytest
from tests.acceptance.pipeline.serving import Server

KILLS = 8
CLIENTS = 6
BATCH = 20


class Caller:
    """Sends messages with keys of their own, and repeats each request until it is answered."""

    def __init__(self, server: Server, number: int) -> None:
        self._server = server
        self._number = number
        self._source = random.Random(number)
        self.acknowledged: dict[str, str] = {}
        """Ids by idempotency key."""

    async def run(self, stop: asyncio.Event) -> None:
        headers = self._server.headers
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(base_url=self._server.url, headers=headers, timeout=30, limits=limits) as http:
            turn = 0
            while not stop.is_set():
                turn += 1
                keys = [f"{self._number}-{turn}-{entry}" for entry in range(self._source.choice((1, 1, BATCH)))]
                await self._until_answered(http, keys)

    async def _until_answered(self, http: httpx.AsyncClient, keys: list[str]) -> None:
        entries = [
            {
                "to": {"email": f"{key}@example.com"},
                "purpose": "transactional",
                "content": {"subject": key, "text": "x" * 200},
                "idempotency_key": key,
            }
            for key in keys
        ]
        while True:
            try:
                if len(entries) == 1:
                    answer = await http.post("/v1/messages", json=entries[0])
                    results = [answer.json()] if answer.is_success else []
                else:
                    answer = await http.post("/v1/messages:batch", json={"messages": entries})
                    results = answer.json()["results"] if answer.status_code == 202 else []
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code in (202, 503), answer.text
            if results:
                self.acknowledged.update((key, result["id"]) for key, result in zip(keys, results, strict=True))
                return


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_and_nothing_is_accepted_twice(server: Server) -> None:
    source = random.Random(1794)
    await asyncio.to_thread(server.start)
    callers = [Caller(server, number) for number in range(CLIENTS)]
    stop = asyncio.Event()
    running = [asyncio.create_task(caller.run(stop)) for caller in callers]
    for _ in range(KILLS):
        before = _count(callers)
        await asyncio.sleep(source.uniform(0.05, 0.4))
        while _count(callers) == before:  # noqa: ASYNC110 (the callers tell nobody)
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.end, signal.SIGKILL)
        await asyncio.to_thread(server.start)
    stop.set()
    await asyncio.gather(*running)
    await asyncio.to_thread(server.wait_until_at_rest)

    acknowledged = {key: id_ for caller in callers for key, id_ in caller.acknowledged.items()}
    stored = {message["id"]: message for message in server.messages()}
    taken = Counter(message["message_id"] for message in server.taken)
    assert len(acknowledged) > KILLS
    assert set(stored) == set(acknowledged.values()), "a key that was repeated led to the same message"
    assert {message["status"] for message in stored.values()} == {"sent"}
    assert set(taken) == set(stored), "every message reached the provider, and no other did"
    subjects = {message["message_id"]: message["content"]["subject"] for message in server.taken}
    assert {subjects[id_]: id_ for id_ in stored} == acknowledged
    assert "defect" not in server.log


def _count(callers: list[Caller]) -> int:
    return sum(len(caller.acknowledged) for caller in callers)
