"""Requests about people's data: taken, carried out in the background, accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from chappe.compliance.duties import Duties
from chappe.model.customer import Recipient
from chappe.model.errors import ChappeError, Closed, Conflict, DataRequestNotFound
from chappe.observe.audit.log import AuditLog
from chappe.observe.audit.record import DataRequestRecord
from chappe.observe.audit.recording import open_entry
from chappe.observe.audit.retention import is_held
from chappe.pipeline.context import Context
from chappe.pipeline.honouring import rule_set_for
from chappe.pipeline.person import whereabouts
from chappe.pipeline.rights.earlier import forget_earlier
from chappe.pipeline.rights.erasing import erase
from chappe.pipeline.rights.packaging import hash_of_file, write_package
from chappe.pipeline.rights.receipts import Kept, Package, Receipt, digest_of, moment, signed
from chappe.records import ids, profiles
from chappe.records.audit_pages import Entry
from chappe.records.data_requests import DataRequest, RequestKind, RequestState, Subject, Terms
from chappe.records.profiles import KnownPerson, PersonRecord
from chappe.records.recipients import parse_recipient, recipient_text

FOLDER_NAME = "exports"
_DAY_MS = 86_400_000
_LOOK_SECONDS = 60.0
_AGAIN_MS = 90 * _DAY_MS
_PAUSE_AFTER_FAILURE_SECONDS = 5.0
_log = structlog.get_logger("chappe.rights")


class About(msgspec.Struct, frozen=True):
    """Whom a request is about: the caller's id of a person, or an address."""

    person: str | None = None
    to: Recipient | None = None


class Rights:
    """Takes requests and carries them out. `package_days` is how long a copy that was made can be fetched."""

    def __init__(
        self, context: Context, audit: AuditLog, folder: Path, key: Ed25519PrivateKey, *, package_days: int = 30
    ) -> None:
        self._context = context
        self._audit = audit
        self._folder = folder / FOLDER_NAME
        self._key = key
        self._package_ms = package_days * _DAY_MS
        self._one_at_a_time = asyncio.Lock()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Go on with what is not done."""
        self._task = asyncio.create_task(self._run(), name="data requests")

    async def stop(self) -> None:
        """Stop; what is under way is gone on with at the next start."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def take(
        self, kind: RequestKind, about: About, *, received_at_ms: int | None, by: str, note: str | None = None
    ) -> tuple[DataRequest, bool]:
        """Record a request; it, and whether it is new. One of the same kind that is under way, or that has erased or
        restricted already what is asked for, is given instead. Raises `PersonNotFound`.
        """
        async with self._one_at_a_time:
            person = await self._person(about)
            digest = self._digest(about, person)
            earlier = await self._context.records.data_requests.newest_about(digest, kind)
            if person is None and about.person is not None:
                if earlier is None:
                    raise profiles.no_such_person(about.person)
                return earlier, False
            if earlier is not None and (earlier.completed_at_ms is None or await self._stands(earlier)):
                return earlier, False
            now_ms = self._context.now_ms()
            request = self._new(kind, self._subject(about, person), digest, received_at_ms or now_ms, by, note)
            await self._record(request, now_ms)
        if request.completed_at_ms is None:
            self._work.set()
        return request, True

    async def extend(self, key: int, reason: str) -> DataRequest:
        """Put the deadline off as far as the rules allow, the person having been told why. Raises `Conflict`."""
        requests = self._context.records.data_requests
        request = await requests.get(key)
        text = ids.key_text(ids.DATA_REQUEST, key)
        if request.completed_at_ms is not None:
            raise Conflict(f"{text} is done already.", id=text)
        if request.terms.extendable_to_ms is None or request.terms.extended_because is not None:
            raise Conflict(f"The deadline of {text} cannot be put off (any more) by the rules in force.", id=text)
        terms = msgspec.structs.replace(request.terms, extended_because=reason)
        account = self._account(key, request.kind, "extended", None)
        await requests.change(key, account, terms=terms, due_at_ms=request.terms.extendable_to_ms)
        return await requests.get(key)

    def package(self, request: DataRequest) -> Path:
        """The file of the copy that was made. Raises `DataRequestNotFound` if there is none (any more)."""
        path = self._path(request)
        if request.package_until_ms is None or not path.exists():
            text = ids.key_text(ids.DATA_REQUEST, request.key)
            raise DataRequestNotFound(f"{text} has no package, or it has been removed; ask for a new export.", id=text)
        return path

    async def _person(self, about: About) -> PersonRecord | None:
        records = self._context.records.profiles
        if about.person is not None:
            return await records.find(about.person)
        assert about.to is not None
        return await records.owner(about.to)

    def _digest(self, about: About, person: PersonRecord | None) -> bytes:
        """Of the id where there is one: what was asked by an address is found again by the id, and the other way
        round.
        """
        erased = self._context.records.erased
        if person is not None:
            return erased.digest(f"person:{person.id}")
        if about.person is not None:
            return erased.digest(f"person:{about.person}")
        assert about.to is not None
        return erased.digest(recipient_text(about.to))

    async def _stands(self, earlier: DataRequest) -> bool:
        """Whether what was done then still is."""
        if earlier.kind not in (RequestKind.RESTRICT, RequestKind.UNRESTRICT):
            return False
        to = [parse_recipient(recipient) for recipient in earlier.subject.recipients]
        return await self._context.records.profiles.is_restricted(to) is (earlier.kind is RequestKind.RESTRICT)

    def _subject(self, about: About, person: PersonRecord | None) -> Subject:
        if person is None:
            assert about.to is not None
            recipient = recipient_text(about.to)
            return Subject(recipients=(recipient,), places=(whereabouts(about.to, None).jurisdiction,))
        known = KnownPerson(person.profile, restricted=False)
        return Subject(
            person=person.id,
            recipients=tuple(map(recipient_text, person.addresses)),
            places=tuple(whereabouts(to, known).jurisdiction for to in person.addresses),
            relationship_ended_ms=person.profile.relationship_ended_ms,
        )

    def _new(
        self, kind: RequestKind, subject: Subject, digest: bytes, received_at_ms: int, by: str, note: str | None
    ) -> DataRequest:
        terms = self._terms(subject, received_at_ms)
        now_ms = self._context.now_ms()
        return DataRequest(
            key=self._context.records.keys.next(),
            kind=kind,
            state=RequestState.OPEN,
            subject=subject,
            digest=digest,
            received_at_ms=received_at_ms,
            created_at_ms=now_ms,
            terms=terms,
            due_at_ms=terms.due_at_ms,
            asked_by=by,
            note=note,
        )

    def _terms(self, subject: Subject, received_at_ms: int) -> Terms:
        found = []
        for recipient, place in zip(subject.recipients, subject.places, strict=True):
            rules = rule_set_for(self._context.rules, parse_recipient(recipient), place).rules
            found.append(Duties(rules).erasure(place, received_at_ms))
        named = dict.fromkeys(rule for each in found for rule in each.rules)
        return Terms(
            acknowledge_by_ms=_earliest([each.acknowledge_by_ms for each in found]),
            due_at_ms=_earliest([each.complete_by_ms for each in found]),
            extendable_to_ms=_earliest([each.extended_to_ms for each in found]),
            rules=tuple(named),
        )

    async def _record(self, request: DataRequest, now_ms: int) -> None:
        """Write a request down with what takes effect at once: from the answer on, nothing more is sent."""
        records = self._context.records
        recipients = request.subject.recipients
        to = [parse_recipient(recipient) for recipient in recipients]
        keys = [records.keys.next() for _ in recipients]
        account = self._account(request.key, request.kind, "received", None)

        def along(connection: Connection) -> None:
            if request.kind is RequestKind.ERASE:
                for recipient, key in zip(recipients, keys, strict=True):
                    records.erased.add(connection, recipient, key, now_ms)
            elif request.kind is RequestKind.RESTRICT:
                profiles.restrict(connection, to, now_ms)
            elif request.kind is RequestKind.UNRESTRICT:
                profiles.lift_restriction(connection, to)

        records.erased.anybody = records.erased.anybody or request.kind is RequestKind.ERASE
        records.profiles.anybody = True
        await records.data_requests.add(request, along, account)
        if request.kind in (RequestKind.RESTRICT, RequestKind.UNRESTRICT):
            await self._finish(request, RequestState.DONE)

    async def _run(self) -> None:
        while not self._stopping:
            self._work.clear()
            pause = _LOOK_SECONDS
            try:
                for request in await self._context.records.data_requests.unfinished():
                    await self._carry_out(request)
                await self._go_on()
                await self._remove_packages()
            except Closed:
                return
            except (ChappeError, OSError) as error:
                _log.warning("data_request_not_carried_out", reason=str(error))
                pause = _PAUSE_AFTER_FAILURE_SECONDS
            except Exception:  # noqa: BLE001 (a defect met by one request must not end all of them)
                _log.exception("data_request_failed")
                pause = _PAUSE_AFTER_FAILURE_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._work.wait()
            except TimeoutError:
                pass

    async def _carry_out(self, request: DataRequest) -> None:
        if request.kind is RequestKind.EXPORT:
            await self._export(request)
        elif request.kind is RequestKind.ERASE:
            await self._erase(request)
        else:  # what it asks for was done with its record
            await self._finish(request, RequestState.DONE)

    async def _export(self, request: DataRequest) -> None:
        path, now_ms = self._path(request), self._context.now_ms()
        part = path.with_suffix(".part")
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, exist_ok=True)
        files = await write_package(self._context.records, self._audit, request, part, now_ms)
        digest, size_bytes = await asyncio.to_thread(hash_of_file, part)
        await asyncio.to_thread(part.replace, path)
        until_ms = now_ms + self._package_ms
        until = moment(until_ms)
        assert until is not None
        counts = {file.name.removesuffix(".json"): file.entries for file in files if file.name != "manifest.json"}
        request = msgspec.structs.replace(request, progress=counts)
        await self._finish(
            request, RequestState.DONE, package=Package(digest, size_bytes, until), package_until_ms=until_ms
        )

    async def _erase(self, request: DataRequest) -> None:
        if request.state is RequestState.HELD:
            holds = await self._audit.holds()
            if all(is_held(place, holds) for place in request.subject.places):
                return
        erased = await erase(self._context, self._audit, request)
        records = self._context.records
        if not erased.held:
            await forget_earlier(records.data_requests, records.erased, self._path, request)
        request = await records.data_requests.get(request.key)
        state = RequestState.HELD if erased.held else RequestState.DONE
        if state is request.state:
            return
        done = {**request.progress, "addresses_unreadable_in_audit_log": erased.unreadable}
        request = msgspec.structs.replace(request, progress=done)
        await self._finish(request, state, kept=erased.kept, left=erased.left)

    async def _go_on(self) -> None:
        """Erase what a law had kept until now."""
        requests, now_ms = self._context.records.data_requests, self._context.now_ms()
        for request in await requests.to_go_on(now_ms):
            erased = await erase(self._context, self._audit, request)
            if erased.held:  # a legal hold that came later; what it covers is looked at again tomorrow
                await requests.change(request.key, None, again_at_ms=now_ms + _DAY_MS)
                continue
            subject, again_at_ms = _still(request.subject, erased.left, now_ms)
            await requests.change(request.key, None, subject=subject, again_at_ms=again_at_ms)

    async def _finish(
        self,
        request: DataRequest,
        state: RequestState,
        *,
        kept: Sequence[Kept] = (),
        package: Package | None = None,
        package_until_ms: int | None = None,
        left: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Sign the receipt and record it, in one commit with its place in the audit log."""
        erased, now_ms = self._context.records.erased, self._context.now_ms()
        digests = tuple(erased.digest(recipient).hex() for recipient in request.subject.recipients)
        received, at = moment(request.received_at_ms), moment(now_ms)
        assert received is not None
        assert at is not None
        receipt = signed(
            Receipt(
                request=ids.key_text(ids.DATA_REQUEST, request.key),
                right=request.kind.value,
                state=state.value,
                person=request.digest.hex(),
                addresses=digests,
                received_at=received,
                at=at,
                due_at=moment(request.due_at_ms),
                jurisdictions=tuple(dict.fromkeys(place for place in request.subject.places if place)),
                rules=request.terms.rules,
                done=dict(request.progress),
                kept=tuple(kept),
                package=package,
            ),
            self._key,
        )
        subject, again_at_ms = request.subject, None
        if request.kind is RequestKind.ERASE and state is RequestState.DONE:
            subject = msgspec.structs.replace(subject, person=None, digests=digests)
            subject, again_at_ms = _still(subject, left, now_ms)
        await self._context.records.data_requests.change(
            request.key,
            self._account(request.key, request.kind, state.value, digest_of(receipt)),
            state=state.value,
            subject=subject,
            receipt=receipt,
            completed_at_ms=None if state is RequestState.HELD else now_ms,
            package_until_ms=package_until_ms,
            again_at_ms=again_at_ms,
        )
        _log.info("data_request_carried_out", id=ids.key_text(ids.DATA_REQUEST, request.key), state=state.value)

    async def _remove_packages(self) -> None:
        requests = self._context.records.data_requests
        for request in await requests.with_package(self._context.now_ms()):
            await asyncio.to_thread(self._path(request).unlink, missing_ok=True)
            await requests.change(request.key, None, package_until_ms=None)

    def _path(self, request: DataRequest) -> Path:
        return self._folder / f"{ids.key_text(ids.DATA_REQUEST, request.key)}.zip"

    def _account(self, key: int, kind: RequestKind, state: str, receipt: str | None) -> Entry:
        now_ms = self._context.now_ms()
        text = ids.key_text(ids.DATA_REQUEST, key)
        return open_entry(
            DataRequestRecord(at_ms=now_ms, request=text, right=kind.value, state=state, receipt=receipt), now_ms
        )


def _still(subject: Subject, left: Mapping[str, int], now_ms: int) -> tuple[Subject, int | None]:
    """The subject with only those addresses of which something is left, and when to look at them again."""
    places = {to: place for to, place in zip(subject.recipients, subject.places, strict=True) if to in left}
    reduced = msgspec.structs.replace(subject, recipients=tuple(places), places=tuple(places.values()))
    if not left:
        return msgspec.structs.replace(reduced, relationship_ended_ms=None), None
    # A period that begins with the end of a relationship has no end yet; it is asked for again.
    return reduced, min(max(min(left.values()), now_ms + _DAY_MS), now_ms + _AGAIN_MS)


def _earliest(moments: Sequence[int | None]) -> int | None:
    return min((each for each in moments if each is not None), default=None)
