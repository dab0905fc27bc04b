"""What people answer: read, recorded with its effects in one transaction, and answered.

An opt-out is in force when the call that brought it returns: messages that wait in a queue are checked against it
before they are handed to a provider.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chappe.compliance.opt_out.reading import read_reply
from chappe.compliance.opt_out.reply import Intent, Reply, Scope
from chappe.compliance.places.locating import Locale
from chappe.model.customer import Channel, Purpose, Recipient
from chappe.model.errors import ChappeError, InvalidInput, MessageNotFound
from chappe.pipeline.background import Pace
from chappe.pipeline.context import Context
from chappe.pipeline.inbound.answers import Accept, Answering
from chappe.pipeline.inbound.effects import link_effect, opt_out_effect, what_follows
from chappe.pipeline.inbound.request import InboundRequest, InboundText, normalise_inbound
from chappe.pipeline.verdicts.honouring import honour_deadlines, opt_out_words
from chappe.pipeline.verdicts.person import whereabouts
from chappe.records.inbound import InboundRecord, NewInbound, Resolution, Taken
from chappe.records.opt_outs import Deadline, OptOutRecord
from chappe.records.profiles import KnownPerson
from chappe.records.recipients import recipient_text

Taking = Taken | ChappeError
"""What became of one text."""


class Verdict(msgspec.Struct, frozen=True):
    """What a person says of an uncertain text."""

    intent: Intent
    scope: Scope
    by: str
    note: str | None = None


class Inbound:
    """Texts from people, and their requests to stop."""

    def __init__(self, context: Context, accept: Accept) -> None:
        self._context = context
        self.answering = Answering(context, accept)

    async def take(self, requests: Sequence[InboundRequest | InvalidInput]) -> list[Taking]:
        """Take texts in one transaction; per request what was made of it or what is wrong with it.

        Raises `StorageFull`, `StorageFailed` and `Closed`, and then none was taken.
        """
        context, now_ms = self._context, self._context.now_ms()
        pace = Pace(context.background, urgent=False)
        await pace.begin()
        checked = [_checked(request, now_ms) for request in requests]
        known = await self._known([text.to for text in checked if isinstance(text, InboundText)])
        new = []
        for text in checked:
            if isinstance(text, InboundText):
                await pace.pause()
                new.append(self._followed(text, known.get(recipient_text(text.to)), now_ms))
        taken = iter(await context.records.inbound.take(new) if new else ())
        self.answering.wake()
        return [text if isinstance(text, InvalidInput) else next(taken) for text in checked]

    def _followed(self, text: InboundText, person: KnownPerson | None, now_ms: int) -> NewInbound:
        where = whereabouts(text.to, person)
        if text.language is None and person is not None and person.profile is not None:
            text = msgspec.structs.replace(text, language=person.profile.language)
        return what_follows(
            text,
            where.jurisdiction,
            self._read(text, where),
            self._deadlines(text.to, where, text.channel, text.received_at_ms),
            self._context.settings.inbound,
            self._context.senders.known_as(text.sender),
            now_ms,
            self._context.records.keys.next,
        )

    def _read(self, text: InboundText, where: Locale) -> Reply:
        context = self._context
        words = opt_out_words(context.rules, text.to, where, text.channel, context.now_ms())
        return read_reply(
            text.text,
            language=text.language,
            jurisdiction=where.jurisdiction,
            extra_keywords=(*context.settings.inbound.keywords, *words),
        )

    async def resolve(self, key: int, verdict: Verdict) -> InboundRecord:
        """Settle an uncertain text: an opt-out with the scope given, or none.

        Raises `NotFound`, and `Conflict` for a text that is not waiting for review.
        """
        context = self._context
        record = await context.records.inbound.get(key)
        now_ms = context.now_ms()
        effect = None
        if verdict.intent is Intent.OPT_OUT:
            where = await self._whereabouts(record.to)
            due = self._deadlines(record.to, where, record.channel, record.received_at_ms)
            effect = opt_out_effect(record, where.jurisdiction, verdict.scope, due, now_ms, context.records.keys.next)
        resolution = Resolution(verdict.intent.value, verdict.scope.value, now_ms, verdict.by, verdict.note)
        return await context.records.inbound.resolve(key, resolution, effect)

    async def unsubscribe(self, token: str) -> OptOutRecord:
        """Carry out the request behind the link of a message: no more promotional messages on its channel.

        Doing it again is no error. Raises `MessageNotFound` for a token that was not made here.
        """
        context = self._context
        key = context.links.key_of(token)
        if key is None:
            raise MessageNotFound("This link is not valid; it may have been cut off. Copy it from the message again.")
        message = (await context.records.messages.get(key)).message
        now_ms = context.now_ms()
        where = await self._whereabouts(message.to)
        due = self._deadlines(message.to, where, message.channel, now_ms, Purpose.PROMOTIONAL)
        effect = link_effect(
            message.to, where.jurisdiction, message.channel, key, due, now_ms, context.records.keys.next
        )
        return await context.records.opt_outs.add(effect)

    async def _known(self, to: Sequence[Recipient]) -> dict[str, KnownPerson]:
        """What is stored of these people: a profile says better than an address where somebody is."""
        profiles = self._context.records.profiles
        return await profiles.known_of(map(recipient_text, to)) if to and profiles.anybody else {}

    async def _whereabouts(self, to: Recipient) -> Locale:
        return whereabouts(to, (await self._known([to])).get(recipient_text(to)))

    def _deadlines(
        self, to: Recipient, where: Locale, channel: Channel, received_at_ms: int, purpose: Purpose | None = None
    ) -> tuple[Deadline, ...]:
        return honour_deadlines(self._context.rules, to, where, channel, purpose, received_at_ms)


def _checked(request: InboundRequest | InvalidInput, now_ms: int) -> InboundText | InvalidInput:
    if isinstance(request, InvalidInput):
        return request
    try:
        return normalise_inbound(request, now_ms)
    except InvalidInput as error:
        return error
