"""Retention: records are removed when they have been kept as long as the operator says, but never before the rules in
force let them go, nor while a legal hold covers them.

What is old enough is looked for once in a while, oldest first, and removed a few rows at a time with pauses, so that
nobody waits for it. A pass that is cut off begins again: what it has removed is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from chappe.compliance.rule.record_kinds import RecordKind
from chappe.compliance.rule_sets.duties import Duties
from chappe.model.errors import ChappeError, Closed
from chappe.observe.audit.log import AuditLog
from chappe.observe.audit.retention import is_held
from chappe.pipeline.context import Context
from chappe.pipeline.rights.keeping import Obligations
from chappe.pipeline.verdicts.honouring import rule_set_for
from chappe.pipeline.verdicts.person import whereabouts
from chappe.records import ids
from chappe.records.audit import LegalHold
from chappe.records.profiles import KnownPerson
from chappe.records.pruning import OldRecord
from chappe.records.recipients import parse_recipient

DAY_MS = 86_400_000
PASS_SECONDS = 6 * 3_600.0
_BETWEEN_BATCHES_SECONDS = 0.05
_log = structlog.get_logger("chappe.retention")


class RetentionSettings(msgspec.Struct, frozen=True):
    """For how many days records are kept; None is for ever. `contents_days` is about what messages said."""

    messages_days: int | None = None
    contents_days: int | None = None
    inbound_days: int | None = None
    consents_days: int | None = None


class Pruned(msgspec.Struct):
    """What a pass has removed."""

    messages: int = 0
    contents: int = 0
    inbound: int = 0
    consents: int = 0


class Retention:
    """Removes what has come to its end."""

    def __init__(self, context: Context, audit: AuditLog, settings: RetentionSettings) -> None:
        self._context = context
        self._audit = audit
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, if anything is to be removed at all."""
        if any(days is not None for days in msgspec.structs.astuple(self._settings)):
            self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def prune(self) -> Pruned:
        """One pass over everything."""
        pruned = Pruned()
        holds = await self._audit.holds()
        await self._prune_messages(pruned, holds)
        pruning, now_ms = self._context.records.pruning, self._context.now_ms()
        if self._settings.inbound_days is not None:
            before_ms = now_ms - self._settings.inbound_days * DAY_MS
            pruned.inbound = await self._prune(
                lambda after: pruning.inbound(after, before_ms), pruning.remove_inbound, RecordKind.OPT_OUT, holds
            )
        if self._settings.consents_days is not None:
            before_ms = now_ms - self._settings.consents_days * DAY_MS
            pruned.consents = await self._prune(
                lambda after: pruning.consents(after, before_ms, now_ms),
                pruning.remove_consents,
                RecordKind.CONSENT,
                holds,
            )
        return pruned

    async def _run(self) -> None:
        while True:
            try:
                pruned = await self.prune()
                if any(msgspec.structs.astuple(pruned)):
                    _log.info("records_removed", **msgspec.structs.asdict(pruned))
            except Closed:
                return
            except ChappeError as error:
                _log.warning("retention_not_kept", code=error.code, reason=error.message)
            except Exception:  # noqa: BLE001 (a defect must not end retention until the next start)
                _log.exception("retention_failed")
            await asyncio.sleep(PASS_SECONDS)

    async def _prune_messages(self, pruned: Pruned, holds: Sequence[LegalHold]) -> None:
        settings, now_ms = self._settings, self._context.now_ms()
        stated = [days for days in (settings.messages_days, settings.contents_days) if days is not None]
        if not stated:
            return
        pruning = self._context.records.pruning
        before_key, after = ids.first_key_at(now_ms - min(stated) * DAY_MS), 0
        while page := await pruning.messages(after, before_key, ids.created_at_ms):
            people = await self._people(page)
            whole, content_only = [], []
            for record in page:
                obligations = self._obligations(record, people, holds)
                if obligations is None:
                    continue
                content_kept = _asked_for(obligations, RecordKind.CONTENT, record)
                log_kept = _asked_for(obligations, RecordKind.SEND_LOG, record)
                if _is_old(record, settings.messages_days, now_ms) and not (content_kept or log_kept):
                    whole.append(record.key)
                elif record.has_content and not content_kept and _is_old(record, _content_days(settings), now_ms):
                    content_only.append(record.key)
            if whole or content_only:
                await pruning.remove_messages(whole, content_only)
            pruned.messages += len(whole)
            pruned.contents += len(whole) + len(content_only)
            after = page[-1].key
            await asyncio.sleep(_BETWEEN_BATCHES_SECONDS)

    async def _prune(
        self,
        find: Callable[[int], Awaitable[list[OldRecord]]],
        remove: Callable[[Sequence[int]], Awaitable[None]],
        kind: RecordKind,
        holds: Sequence[LegalHold],
    ) -> int:
        count, after = 0, 0
        while page := await find(after):
            people = await self._people(page)
            gone = []
            for record in page:
                obligations = self._obligations(record, people, holds)
                if obligations is not None and not _asked_for(obligations, kind, record):
                    gone.append(record.key)
            if gone:
                await remove(gone)
            count += len(gone)
            after = page[-1].key
            await asyncio.sleep(_BETWEEN_BATCHES_SECONDS)
        return count

    async def _people(self, page: Sequence[OldRecord]) -> dict[str, KnownPerson]:
        return await self._context.records.profiles.known_of([record.recipient for record in page])

    def _obligations(
        self, record: OldRecord, people: dict[str, KnownPerson], holds: Sequence[LegalHold]
    ) -> Obligations | None:
        """What is to be asked about a record; None if a legal hold covers it."""
        person = people.get(record.recipient)
        to = parse_recipient(record.recipient)
        place = whereabouts(to, person).jurisdiction
        if is_held(place, holds):
            return None
        ended_ms = None if person is None or person.profile is None else person.profile.relationship_ended_ms
        duties = Duties(rule_set_for(self._context.rules, to, place).rules)
        return Obligations(duties, place, ended_ms, self._context.now_ms())


def _asked_for(obligations: Obligations, kind: RecordKind, record: OldRecord) -> bool:
    """Whether a rule asks for the record still."""
    return (
        obligations.of(kind, record.made_ms, used_ms=record.used_ms, channel=record.channel, purpose=record.purpose)
        is not None
    )


def _content_days(settings: RetentionSettings) -> int | None:
    stated = [days for days in (settings.messages_days, settings.contents_days) if days is not None]
    return min(stated, default=None)


def _is_old(record: OldRecord, days: int | None, now_ms: int) -> bool:
    return days is not None and record.made_ms + days * DAY_MS <= now_ms
