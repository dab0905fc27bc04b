from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from chappe.channels.base import Outbound, PermanentFailure, TemporaryFailure
from chappe.channels.sandbox import SandboxProvider
from chappe.channels.settings import SandboxSettings
from chappe.model.customer import Channel, Recipient

Make = Callable[..., Outbound]


async def test_keeps_the_newest_and_counts_all(outbound: Make) -> None:
    sandbox = SandboxProvider("sandbox", SandboxSettings(keep=2), wall_clock=lambda: 12.5)
    for n in range(3):
        await sandbox.send(outbound(message_id=f"m{n}"))
    await sandbox.send(outbound(message_id="s", channel=Channel.SMS, to=Recipient(phone="+15551234567")))
    assert [message.outbound.message_id for message in sandbox.kept] == ["m2", "s"]
    assert sandbox.kept[0].taken_at_ms == 12_500
    assert sandbox.taken == {Channel.EMAIL: 3, Channel.SMS: 1}


RECIPIENTS = {
    "temporary": [
        Recipient(email="fail+temporary@shop.example"),
        Recipient(url="https://shop.example/fail+temporary"),
        Recipient(user="fail+temporary"),
        Recipient(phone="+447700900801"),
    ],
    "permanent": [
        Recipient(email="fail+permanent@shop.example"),
        Recipient(url="https://shop.example/fail+permanent"),
        Recipient(user="fail+permanent"),
        Recipient(phone="+447700900803"),
    ],
    "once": [
        Recipient(email="fail+once@shop.example"),
        Recipient(url="https://shop.example/fail+once"),
        Recipient(user="fail+once"),
        Recipient(phone="+447700900802"),
    ],
}


@pytest.mark.parametrize("to", RECIPIENTS["temporary"])
async def test_fails_temporarily(outbound: Make, to: Recipient) -> None:
    sandbox = SandboxProvider("sandbox", SandboxSettings())
    for attempt in (1, 2, 7):
        with pytest.raises(TemporaryFailure):
            await sandbox.send(outbound(to=to, attempt=attempt))
    assert not sandbox.kept


@pytest.mark.parametrize("to", RECIPIENTS["permanent"])
async def test_fails_for_good(outbound: Make, to: Recipient) -> None:
    sandbox = SandboxProvider("sandbox", SandboxSettings())
    with pytest.raises(PermanentFailure):
        await sandbox.send(outbound(to=to))
    assert sandbox.taken.total() == 0


@pytest.mark.parametrize("to", RECIPIENTS["once"])
async def test_fails_once(outbound: Make, to: Recipient) -> None:
    sandbox = SandboxProvider("sandbox", SandboxSettings())
    with pytest.raises(TemporaryFailure):
        await sandbox.send(outbound(to=to, attempt=1))
    await sandbox.send(outbound(to=to, attempt=2))
    assert len(sandbox.kept) == 1


async def test_the_patterns_are_settings(outbound: Make) -> None:
    sandbox = SandboxProvider("sandbox", SandboxSettings(fail_temporary=("*@down.example",), fail_permanent=()))
    with pytest.raises(TemporaryFailure):
        await sandbox.send(outbound(to=Recipient(email="ada@down.example")))
    await sandbox.send(outbound(to=Recipient(email="fail+permanent@up.example")))
    assert len(sandbox.kept) == 1


async def test_slow_recipients_wait(outbound: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("chappe.channels.sandbox.asyncio.sleep", sleep)
    sandbox = SandboxProvider("sandbox", SandboxSettings(slow_delay_ms=750, delay_ms=20))
    await sandbox.send(outbound(to=Recipient(email="slow@shop.example")))
    await sandbox.send(outbound())
    assert waits == [0.75, 0.02]


async def test_appends_to_a_json_lines_file(outbound: Make, tmp_path: Path) -> None:
    file = tmp_path / "taken.jsonl"
    file.write_text('{"earlier": true}\n')
    sandbox = SandboxProvider("sandbox", SandboxSettings(file=file), wall_clock=lambda: 1.0)
    await sandbox.send(outbound())
    await sandbox.aclose()
    earlier, taken = map(json.loads, file.read_text().splitlines())
    assert earlier == {"earlier": True}
    assert taken["taken_at_ms"] == 1000
    assert taken["outbound"]["to"] == {"email": "ada@example.com"}
    assert taken["outbound"]["content"]["subject"] == "Your code"
