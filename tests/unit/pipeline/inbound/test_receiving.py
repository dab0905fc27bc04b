"""Answers of people and the messages on their way: what a reply stops, and what is said in return across restarts."""

from __future__ import annotations

from pathlib import Path

from tests.unit.pipeline.house import House, eventually, house

from chappe.channels.base import Outbound, Reply, TemporaryFailure
from chappe.model.customer import Channel, Content, Purpose, Recipient, Status
from chappe.pipeline.inbound.request import InboundRequest
from chappe.records.inbound import AnswerState, Taken

ANA = Recipient(phone="+12025550143")


def text(words: str, number: int = 1, channel: Channel = Channel.SANDBOX) -> InboundRequest:
    return InboundRequest(
        person=ANA, to="24273", text=words, provider_message_id=f"in-{number}", channel=channel, provider="gateway"
    )


async def taken(h: House, request: InboundRequest) -> Taken:
    (found,) = await h.pipeline.inbound.take([request])
    assert isinstance(found, Taken), found
    return found


async def answer_state(h: House, found: Taken) -> AnswerState:
    return (await h.records.inbound.get(found.record.key)).answer_state


async def becomes(h: House, found: Taken, state: AnswerState) -> None:
    async def has_become() -> bool:
        return await answer_state(h, found) is state

    await eventually(has_become)


async def test_a_message_that_waits_for_its_next_attempt_is_blocked(tmp_path: Path) -> None:
    async with house(tmp_path) as h:

        async def stops_meanwhile(outbound: Outbound) -> Reply:
            await taken(h, text("STOP"))
            raise TemporaryFailure("busy", "come again")

        h.provider.answers.append(stops_meanwhile)
        key = await h.send(
            to=ANA,
            channel=Channel.SANDBOX,
            purpose=Purpose.TRANSACTIONAL,
            content=Content(text="Your order is on its way"),
        )
        stored = await h.becomes(key, Status.BLOCKED)
        assert "suppression" in str(stored.summary.events[-1].decision)
        assert all("unsubscribed" in (outbound.content.text or "") for outbound in h.provider.taken)


async def test_an_answer_owed_at_the_end_of_the_process_is_sent_by_the_next_once(tmp_path: Path) -> None:
    async with house(tmp_path, start=False) as h:
        found = await taken(h, text("STOP"))
        assert await answer_state(h, found) is AnswerState.OWED
    async with house(tmp_path) as h:
        await becomes(h, found, AnswerState.SENT)
        await eventually(lambda: len(h.provider.taken) == 1)
        assert h.provider.taken[0].to == ANA
    async with house(tmp_path) as h:
        again = await taken(h, text("HELP", 2))
        await becomes(h, again, AnswerState.SENT)
        await eventually(lambda: len(h.provider.taken) == 1)
        assert "unsubscribed" not in (h.provider.taken[0].content.text or "")


async def test_an_answer_taken_before_a_crash_is_not_taken_again(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        found = await taken(h, text("STOP"))
        await becomes(h, found, AnswerState.SENT)
        first = (await h.records.inbound.get(found.record.key)).answer_message
        # As after a crash between the commit of the message and the note of it.
        await h.records.inbound.answered(found.record.key, AnswerState.OWED, None, h.clock())
        h.pipeline.inbound.answering.wake()
        await becomes(h, found, AnswerState.SENT)
        assert (await h.records.inbound.get(found.record.key)).answer_message == first


async def test_without_a_provider_on_the_channel_the_answer_is_given_up(tmp_path: Path) -> None:
    async with house(tmp_path, routes={Channel.EMAIL: []}) as h:
        found = await taken(h, text("STOP", channel=Channel.SMS))
        await becomes(h, found, AnswerState.REFUSED)
