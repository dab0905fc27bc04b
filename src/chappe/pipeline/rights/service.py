"""Requests about people's data: taken, put off, and what became of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from chappe.model.errors import Conflict, DataRequestNotFound
from chappe.observe.audit.log import AuditLog
from chappe.pipeline.context import Context
from chappe.pipeline.rights.asked import About, subject_of, terms_of
from chappe.pipeline.rights.carrying_out import CarryingOut
from chappe.pipeline.rights.finishing import DAY_MS, account_of_request, finish
from chappe.records import ids, profiles
from chappe.records.data_requests import DataRequest, RequestKind, RequestState, Subject
from chappe.records.profiles import PersonRecord
from chappe.records.recipients import parse_recipient, recipient_text


class Rights:
    """Takes requests and carries them out. `package_days` is how long a copy that was made can be fetched."""

    def __init__(
        self, context: Context, audit: AuditLog, folder: Path, key: Ed25519PrivateKey, *, package_days: int = 30
    ) -> None:
        self._context = context
        self._key = key
        self._carrying_out = CarryingOut(context, audit, folder, key, package_ms=package_days * DAY_MS)
        self._one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on with what is not done."""
        self._task = asyncio.create_task(self._carrying_out.run(), name="data requests")

    async def stop(self) -> None:
        """Stop; what is under way is gone on with at the next start."""
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
            request = self._new(kind, subject_of(about, person), digest, received_at_ms or now_ms, by, note)
            await self._record(request, now_ms)
        if request.completed_at_ms is None:
            self._carrying_out.wake()
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
        account = account_of_request(key, request.kind, "extended", self._context.now_ms())
        await requests.change(key, account, terms=terms, due_at_ms=request.terms.extendable_to_ms)
        return await requests.get(key)

    def package(self, request: DataRequest) -> Path:
        """The file of the copy that was made. Raises `DataRequestNotFound` if there is none (any more)."""
        path = self._carrying_out.package_of(request)
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

    def _new(
        self, kind: RequestKind, subject: Subject, digest: bytes, received_at_ms: int, by: str, note: str | None
    ) -> DataRequest:
        terms = terms_of(self._context.rules, subject, received_at_ms)
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

    async def _record(self, request: DataRequest, now_ms: int) -> None:
        """Write a request down with what takes effect at once: from the answer on, nothing more is sent."""
        records = self._context.records
        recipients = request.subject.recipients
        to = [parse_recipient(recipient) for recipient in recipients]
        keys = [records.keys.next() for _ in recipients]
        account = account_of_request(request.key, request.kind, "received", now_ms)

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
            await finish(records, self._key, request, RequestState.DONE, now_ms)
