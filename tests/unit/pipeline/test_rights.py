"""Erasures and copies that are cut off in the middle go on at the next start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.pipeline.house import NAMES, SIGNING_KEY, House, clock_at, eventually, house

from chappe.channels.base import Outbound, Reply
from chappe.model.customer import Channel, Content, Purpose, Recipient, Status
from chappe.model.errors import DataRequestNotFound
from chappe.pipeline.rights.asked import About
from chappe.pipeline.rights.service import Rights
from chappe.records.data_requests import DataRequest, RequestKind, RequestState
from chappe.records.erasing import Erasing
from chappe.records.people import ConsentRecord
from chappe.records.profiles import Profile

ANA = Recipient(email="ana@example.com")


async def started(h: House, folder: Path) -> Rights:
    rights = Rights(h.pipeline.context, h.audit, folder, SIGNING_KEY)
    await rights.start()
    return rights


async def is_done(h: House, request: DataRequest) -> bool:
    return (await h.records.data_requests.get(request.key)).state is RequestState.DONE


@pytest.mark.parametrize("step", ["messages", "remove_messages", "consents", "inbound", "remove_wishes"])
async def test_an_erasure_goes_on_where_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    reached = asyncio.Event()
    whole = getattr(Erasing, step)

    async def cut_off(self: Erasing, *arguments: object) -> object:
        result = await whole(self, *arguments)
        reached.set()
        await asyncio.Event().wait()  # until the process ends
        return result

    async with house(tmp_path) as h:
        keys = [await h.send(to=ANA) for _ in range(3)]
        for key in keys:
            await h.becomes(key, Status.SENT)
        monkeypatch.setattr(Erasing, step, cut_off)
        rights = await started(h, tmp_path)
        request, new = await rights.take(RequestKind.ERASE, About(to=ANA), received_at_ms=None, by="key")
        assert new
        await reached.wait()
        await rights.stop()
    monkeypatch.setattr(Erasing, step, whole)
    async with house(tmp_path) as h:
        assert not await is_done(h, request)
        blocked = await h.send(to=ANA)
        await h.becomes(blocked, Status.BLOCKED)
        rights = await started(h, tmp_path)
        await eventually(lambda: is_done(h, request))
        done = await h.records.data_requests.get(request.key)
        assert done.progress["messages"] == 4  # those of before, and the one that was blocked
        assert done.subject.recipients == ()
        assert not await h.records.messages.get_many(keys)
        await rights.stop()


async def test_a_copy_is_made_anew_after_a_stop(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.becomes(await h.send(to=ANA), Status.SENT)
        rights = Rights(h.pipeline.context, h.audit, tmp_path, SIGNING_KEY)  # it never begins
        request, _ = await rights.take(RequestKind.EXPORT, About(to=ANA), received_at_ms=None, by="key")
    async with house(tmp_path) as h:
        rights = await started(h, tmp_path)
        await eventually(lambda: is_done(h, request))
        done = await h.records.data_requests.get(request.key)
        package = rights.package(done)
        assert package.stat().st_mode & 0o077 == 0
        h.clock.advance(31 * 86_400_000)
        again, _ = await rights.take(RequestKind.EXPORT, About(to=ANA), received_at_ms=None, by="key")
        await eventually(lambda: is_done(h, again))
        await eventually(lambda: not package.exists())
        await rights.stop()


async def test_stopping_in_the_middle_of_a_copy_ends(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for _ in range(20):
            await h.send(to=ANA)
        for _ in range(5):
            rights = await started(h, tmp_path)
            await rights.take(RequestKind.EXPORT, About(to=ANA), received_at_ms=None, by="key")
            for _ in range(3):
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                await rights.stop()


async def test_what_a_law_kept_goes_when_its_time_has_come(tmp_path: Path) -> None:
    """German law has the proof of a consent kept for years."""
    hans = Recipient(email="hans@example.de")
    async with house(tmp_path) as h:
        agreed = ConsentRecord(h.records.keys.next(), hans, None, Purpose.PROMOTIONAL, True, h.clock())
        await h.records.people.add_consents([agreed])
        rights = await started(h, tmp_path)
        request, _ = await rights.take(RequestKind.ERASE, About(to=hans), received_at_ms=None, by="key")
        await eventually(lambda: is_done(h, request))
        done = await h.records.data_requests.get(request.key)
        assert done.again_at_ms is not None
        assert len(await h.records.people.list_consents(hans, None, 10)) == 1
        await rights.stop()
        h.clock.advance(40 * 366 * 86_400_000)
        rights = await started(h, tmp_path)

        async def is_forgotten() -> bool:
            found = await h.records.data_requests.get(request.key)
            return (found.subject.recipients, found.again_at_ms) == ((), None)

        await eventually(is_forgotten)
        assert not await h.records.people.list_consents(hans, None, 10)
        await rights.stop()


async def test_an_erasure_takes_the_copies_that_were_made_before_with_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.becomes(await h.send(to=ANA), Status.SENT)
        rights = await started(h, tmp_path)
        copy, _ = await rights.take(RequestKind.EXPORT, About(to=ANA), received_at_ms=None, by="key")
        other, _ = await rights.take(
            RequestKind.EXPORT, About(to=Recipient(email="bo@example.com")), received_at_ms=None, by="key"
        )
        restricted, _ = await rights.take(RequestKind.RESTRICT, About(to=ANA), received_at_ms=None, by="key")
        await eventually(lambda: is_done(h, copy))
        await eventually(lambda: is_done(h, other))
        await h.records.profiles.put("ana", [ANA], Profile(country="US"), h.clock())
        copy_by_id, _ = await rights.take(RequestKind.EXPORT, About(person="ana"), received_at_ms=None, by="key")
        await eventually(lambda: is_done(h, copy_by_id))

        await h.records.profiles.remove("ana")
        erase, _ = await rights.take(RequestKind.ERASE, About(to=ANA), received_at_ms=None, by="key")
        await eventually(lambda: is_done(h, erase))
        for earlier in (copy, copy_by_id, restricted):
            left = await h.records.data_requests.get(earlier.key)
            assert (left.subject.person, left.subject.recipients, left.package_until_ms) == (None, (), None)
            with pytest.raises(DataRequestNotFound):
                rights.package(left)
        assert [path.name for path in (tmp_path / "exports").iterdir()] == [
            rights.package(await h.records.data_requests.get(other.key)).name
        ]
        assert (await h.records.data_requests.get(erase.key)).progress["copies"] == 2
        await rights.stop()


async def test_what_a_provider_holds_during_an_erasure_is_not_said_to_be_never_sent(tmp_path: Path) -> None:
    """American law has the log of advertising by telephone kept, with what was said."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly(outbound: Outbound) -> Reply:
        begun.set()
        await go.wait()
        return Reply("taken")

    to = Recipient(phone="+12125550123")
    async with house(tmp_path, clock=clock_at("2026-03-04T17:00:00+00:00")) as h:
        h.provider.always = slowly
        await h.consent(to)
        offer = Content(text="Acme: half price today. Reply STOP to opt out")
        key = await h.send(to=to, channel=Channel.SMS, purpose=Purpose.PROMOTIONAL, content=offer)
        await begun.wait()
        await h.becomes(key, Status.SENDING)
        rights = await started(h, tmp_path)
        request, _ = await rights.take(RequestKind.ERASE, About(to=to), received_at_ms=None, by="key")
        await eventually(lambda: is_done(h, request))
        receipt = (await h.records.data_requests.get(request.key)).receipt
        go.set()
        await h.empties(NAMES.lane(Purpose.PROMOTIONAL, Channel.SMS))
        assert "never sent" not in (receipt or "")
        assert await h.status(key) is Status.SENT
        await rights.stop()
