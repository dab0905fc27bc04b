"""Another version comes into force while messages are sent: none is lost, none is decided by half of each."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from typing import Any

import httpx
from tests.acceptance.pipeline.serving import Server
from tests.unit.pipeline.rules.conftest import a_rule, rule_file

CALLERS = 4
BATCH = 20
ACTIVATIONS = 6
MESSAGES_BETWEEN = 60
KILLS = 4
ONLY_RULE = "house-only"
"""The one rule of version 2; version 1 does not have it."""
CLASSIFIER = "classifier"
"""What is said of the content is no rule of either version."""


class Sender:
    """Sends messages without a pause, and notes of each which version was in force for certain when it was sent."""

    def __init__(self, http: httpx.AsyncClient, number: int) -> None:
        self._http = http
        self._number = number
        self.surely: int | None = 1
        self.sent: dict[str, tuple[int | None, dict[str, Any]]] = {}
        """By message id: that version, None while one was being activated, and the decision in the answer."""

    async def run(self, stop: asyncio.Event) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            surely = self.surely
            entries = [self._message(turn, entry) for entry in range(BATCH if turn % 3 == 0 else 1)]
            if len(entries) == 1:
                results = [(await self._http.post("/v1/messages", json=entries[0])).raise_for_status().json()]
            else:
                answer = await self._http.post("/v1/messages:batch", json={"messages": entries})
                results = answer.raise_for_status().json()["results"]
            self.sent.update((result["id"], (surely, result["decision"])) for result in results)

    def _message(self, turn: int, entry: int) -> dict[str, Any]:
        return {
            "to": {"email": f"p{self._number}-{turn}-{entry}@example.com"},
            "purpose": "transactional",
            "content": {"text": "hello"},
        }


def check(decision: dict[str, Any], surely: int | None) -> None:
    """The decision was made by one version only, and by the one in force."""
    assert decision["rule_set"] in ((1, 2) if surely is None else (surely,))
    said = {rule["id"] for rule in decision["rules"]} - {CLASSIFIER}
    assert said == {ONLY_RULE} if decision["rule_set"] == 2 else ONLY_RULE not in said


async def create_second_version(http: httpx.AsyncClient) -> None:
    text = rule_file(a_rule(ONLY_RULE, kind="suppression", applies_to="both", parameters=None))
    (await http.post("/v1/rule-sets", json={"rules": text, "reason": "a test"})).raise_for_status()


async def activate(http: httpx.AsyncClient, version: int) -> httpx.Response:
    return await http.post(f"/v1/rule-sets/{version}/activate", json={"reason": "a test"})


async def test_activations_under_load(server: Server) -> None:
    await asyncio.to_thread(server.start)
    async with httpx.AsyncClient(base_url=server.url, headers=server.headers, timeout=60) as http:
        await create_second_version(http)
        senders = [Sender(http, number) for number in range(CALLERS)]
        stop = asyncio.Event()
        running = [asyncio.create_task(sender.run(stop)) for sender in senders]
        in_force = 1
        for _ in range(ACTIVATIONS):
            target = _count(senders) + MESSAGES_BETWEEN
            while _count(senders) < target:  # noqa: ASYNC110 (the senders tell nobody)
                await asyncio.sleep(0.005)
            in_force = 3 - in_force
            for sender in senders:
                sender.surely = None
            (await activate(http, in_force)).raise_for_status()
            for sender in senders:
                sender.surely = in_force
        stop.set()
        await asyncio.gather(*running)
        await asyncio.to_thread(server.wait_until_at_rest)

        sent = {id_: entry for sender in senders for id_, entry in sender.sent.items()}
        for surely, decision in sent.values():
            check(decision, surely)
        assert {decision["rule_set"] for _, decision in sent.values()} == {1, 2}
        stored = {message["id"]: message for message in server.messages()}
        assert set(stored) == set(sent)
        assert {message["status"] for message in stored.values()} == {"sent"}
        assert Counter(message["message_id"] for message in server.taken) == Counter(list(sent))
        for message in stored.values():
            check(message["decision"], None)
        last = (await http.post("/v1/messages", json=senders[0]._message(0, 0))).json()["id"]
        await asyncio.to_thread(server.wait_until_at_rest)
        check((await http.get(f"/v1/messages/{last}")).json()["decision"], in_force)
    assert "defect" not in server.log


async def test_a_kill_in_the_middle_leaves_the_old_version_or_the_new(server: Server) -> None:
    source = random.Random(1794)
    await asyncio.to_thread(server.start)
    async with httpx.AsyncClient(base_url=server.url, headers=server.headers, timeout=60) as http:
        await create_second_version(http)
    old = 1
    for _ in range(KILLS):
        new = 3 - old
        async with httpx.AsyncClient(base_url=server.url, headers=server.headers, timeout=60) as http:
            asking = asyncio.create_task(activate(http, new))
            await asyncio.sleep(source.uniform(0, 0.02))
            await asyncio.to_thread(server.end, signal.SIGKILL)
            (outcome,) = await asyncio.gather(asking, return_exceptions=True)
        answered = isinstance(outcome, httpx.Response)
        assert outcome.is_success if answered else isinstance(outcome, httpx.HTTPError), outcome
        await asyncio.to_thread(server.start)
        async with httpx.AsyncClient(base_url=server.url, headers=server.headers, timeout=60) as http:
            (last,) = (await http.get("/v1/rule-sets:history", params={"limit": 1})).json()["activations"]
            assert last["version"] in ((new,) if answered else (old, new))
            message = Sender(http, 0)._message(0, 0)
            check((await http.post("/v1/messages:evaluate", json=message)).json()["decision"], last["version"])
            old = last["version"]


def _count(senders: list[Sender]) -> int:
    return sum(len(sender.sent) for sender in senders)
