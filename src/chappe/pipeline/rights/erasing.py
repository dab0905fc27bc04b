"""Carrying out an erasure. Every step may be done again: what is gone is gone, what is kept is looked at once more."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chappe.compliance.rule.record_kinds import RecordKind
from chappe.compliance.rule_sets.duties import Duties
from chappe.engine.base import ReceivedMessage
from chappe.model.customer import Channel, Purpose, Status
from chappe.model.errors import QueueNotFound
from chappe.observe.audit.log import AuditLog
from chappe.observe.audit.retention import is_held
from chappe.pipeline.context import Context
from chappe.pipeline.envelope import from_body
from chappe.pipeline.rights.keeping import BY_HOLD, QUEUED, Obligations, Tally
from chappe.pipeline.rights.receipts import Kept
from chappe.pipeline.verdicts.honouring import rule_set_for
from chappe.records import ids
from chappe.records.audit import LegalHold
from chappe.records.data_requests import DataRequest
from chappe.records.erasing import MessageOutline
from chappe.records.recipients import parse_recipient
from chappe.records.steps import CANCELLABLE

_SWEEP_MESSAGES = 100
_SWEEP_HIDDEN_MS = 30_000


class Erased(msgspec.Struct, frozen=True):
    """What came of it. While `held`, something waits for a legal hold to be released."""

    kept: tuple[Kept, ...]
    held: bool
    unreadable: int
    """Addresses whose keys of the audit log are gone."""
    left: dict[str, int] = {}
    """Addresses of which a rule keeps something, and until when at least."""


async def erase(context: Context, audit: AuditLog, request: DataRequest) -> Erased:
    """Erase as much as may be erased now."""
    subject, now_ms = request.subject, context.now_ms()
    holds = await audit.holds()
    tally, held, unreadable = Tally(), False, 0
    left: dict[str, int] = {}
    # What is known of the person is a record of each of the addresses.
    person = None if any(is_held(place, holds) for place in subject.places) else subject.person
    for recipient, place in zip(subject.recipients, subject.places, strict=True):
        if is_held(place, holds):
            held = True
            tally.add("address with all its records", BY_HOLD, rules=_names(holds))
            continue
        rules = rule_set_for(context.rules, parse_recipient(recipient), place).rules
        obligations = Obligations(Duties(rules), place, subject.relationship_ended_ms, now_ms)
        await _Address(context, request, recipient, obligations, tally).erase(person)
        next_ms = tally.take_next_ms()
        if next_ms is not None:
            left[recipient] = next_ms
        await context.audit.erase(recipient, now_ms)
        unreadable += 1
    return Erased(tally.result(), held, unreadable, left)


def _names(holds: Sequence[LegalHold]) -> list[str]:
    return [ids.key_text(ids.HOLD, hold.key) for hold in holds]


class _Address:
    """The records of one address."""

    def __init__(
        self, context: Context, request: DataRequest, recipient: str, obligations: Obligations, tally: Tally
    ) -> None:
        self._context = context
        self._records = context.records.erasing
        self._request = request
        self._recipient = recipient
        self._obligations = obligations
        self._tally = tally
        self._letters: dict[tuple[Purpose, Channel], set[str]] = {}

    async def erase(self, person: str | None) -> None:
        """`person` is whose profile goes with it, if any."""
        await self._messages()
        await self._consents()
        await self._opt_outs_and_texts()
        for lane, messages in self._letters.items():
            for pipeline in self._context.pipelines:
                await _sweep_dead_letters(pipeline, *lane, messages)
        await self._records.remove_wishes(self._request.key, self._recipient, person)

    async def _messages(self) -> None:
        after = 0
        while page := await self._records.messages(self._recipient, after):
            whole: list[int] = []
            content_only: list[int] = []
            for message in page:
                self._sort(message, whole, content_only)
            await self._records.remove_messages(self._request.key, whole, content_only)
            after = page[-1].key

    def _sort(self, message: MessageOutline, whole: list[int], content_only: list[int]) -> None:
        about = {"used_ms": message.updated_at_ms, "channel": message.channel, "purpose": message.purpose}
        made_ms = ids.created_at_ms(message.key)
        content = self._obligations.of(RecordKind.CONTENT, made_ms, **about)  # type: ignore[arg-type]
        log = self._obligations.of(RecordKind.SEND_LOG, made_ms, **about)  # type: ignore[arg-type]
        if message.status in CANCELLABLE:
            # It was not sent and will not be, so there is nothing to give account of. One that is with a provider may
            # arrive still.
            whole.append(message.key)
            self._tally.add("queue message", QUEUED)
            return
        if content is not None:
            self._tally.by_law("message with its content", content)
            return
        if message.status is Status.FAILED:
            letters = self._letters.setdefault((message.purpose, message.channel), set())
            letters.add(ids.key_text(ids.MESSAGE, message.key))
        if log is None:
            whole.append(message.key)
            return
        self._tally.by_law("message without its content", log)
        if message.has_content:
            content_only.append(message.key)

    async def _consents(self) -> None:
        gone = []
        for record in await self._records.consents(self._recipient):
            keeping = self._obligations.of(
                RecordKind.CONSENT, record.recorded_at_ms, channel=record.channel, purpose=record.purpose
            )
            if keeping is None:
                gone.append(record.key)
            else:
                self._tally.by_law("consent", keeping)
        await self._records.remove(self._request.key, "consents", gone)

    async def _opt_outs_and_texts(self) -> None:
        kept: set[int] = set()
        gone = []
        for record in await self._records.opt_outs(self._recipient):
            keeping = self._obligations.of(
                RecordKind.OPT_OUT, record.received_at_ms, channel=record.channel, purpose=record.purpose
            )
            if keeping is None:
                gone.append(record.key)
            else:
                kept.add(record.key)
                self._tally.by_law("request to stop", keeping)
        await self._records.remove(self._request.key, "opt_outs", gone)
        texts = await self._records.inbound(self._recipient)
        evidence = sum(opt_out in kept for _, opt_out in texts)
        if evidence:
            self._tally.add("text that is a request to stop", "it proves a request that must be kept", count=evidence)
        await self._records.remove(
            self._request.key, "inbound", [key for key, opt_out in texts if opt_out is None or opt_out not in kept]
        )


async def _sweep_dead_letters(context: Context, purpose: Purpose, channel: Channel, messages: set[str]) -> None:
    """Take the copies of erased messages out of a dead-letter queue; the others stay, received once more."""
    queue = context.names.dead_letters(context.names.lane(purpose, channel))
    try:
        counts = await context.engine.counts(queue)
        for _ in range(0, counts.ready, _SWEEP_MESSAGES):
            received = await context.engine.receive(
                queue, max_messages=_SWEEP_MESSAGES, visibility_timeout_ms=_SWEEP_HIDDEN_MS
            )
            gone = [letter.receipt for letter in received if _message_of(letter) in messages]
            if gone:
                await context.engine.delete(queue, gone)
            if not received:
                break
    except QueueNotFound:
        return


def _message_of(letter: ReceivedMessage) -> str | None:
    envelope = from_body(letter.body)
    return None if envelope is None else envelope.message.id
