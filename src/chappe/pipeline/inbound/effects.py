"""What follows from a text: pure functions from a reading to what is to be written and answered.

Which messages an opt-out reaches: with the scope `all` every channel, with `channel` the one it came by, and in both
cases every purpose; with `promotional` advertising on the channel it came by. By e-mail, "unsubscribe" is said of
mailing lists, so there a bare opt-out reaches promotional messages alone and one-time codes and receipts still go out.

An uncertain text suppresses promotional messages on its channel until a person has looked at it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chappe.compliance.facts.recipient import ConsentLevel
from chappe.compliance.opt_out.answers import AnswersByLanguage, choose_answers, packaged_answers
from chappe.compliance.opt_out.reading import expected_languages
from chappe.compliance.opt_out.reasons import BY_LINK, BY_REPLY, UNDER_REVIEW
from chappe.compliance.opt_out.reply import Intent, Reply, Scope
from chappe.compliance.sender.profile import SenderProfile
from chappe.model.categories import HELP_REPLY, OPT_IN_CONFIRMATION, OPT_OUT_CONFIRMATION
from chappe.model.customer import Channel, Purpose, Recipient
from chappe.pipeline.inbound.request import InboundText
from chappe.records.inbound import AnswerOwed, InboundRecord, NewInbound, Review
from chappe.records.opt_outs import Deadline, OptOutEffect, OptOutRecord
from chappe.records.people import ConsentRecord, SuppressionRecord

ANSWER_WITHIN_MS = 300_000
"""A confirmation goes out within five minutes (47 CFR 64.1200(a)(12)) or not at all."""
_CATEGORIES = {Intent.OPT_OUT: OPT_OUT_CONFIRMATION, Intent.OPT_IN: OPT_IN_CONFIRMATION, Intent.HELP: HELP_REPLY}


class InboundSettings(msgspec.Struct, frozen=True):
    """How texts from people are read and answered. `keywords` are further words that mean an opt-out."""

    confirm_opt_outs: bool = True
    answer_starts: bool = True
    answer_help: bool = True
    answers: AnswersByLanguage = msgspec.field(default_factory=packaged_answers)
    keywords: tuple[str, ...] = ()

    def answers_to(self, intent: Intent) -> bool:
        """Whether this intent is answered."""
        wanted = {
            Intent.OPT_OUT: self.confirm_opt_outs,
            Intent.OPT_IN: self.answer_starts,
            Intent.HELP: self.answer_help,
        }
        return wanted.get(intent, False)


def what_follows(
    text: InboundText,
    jurisdiction: str | None,
    reply: Reply,
    deadlines: Sequence[Deadline],
    settings: InboundSettings,
    sender: SenderProfile,
    now_ms: int,
    new_key: Callable[[], int],
) -> NewInbound:
    """What is to be written and answered.

    `jurisdiction` is where the person is, `deadlines` are those of an opt-out on the text's channel, `sender` is the
    profile of whom the text was sent to.
    """
    record = InboundRecord(
        key=new_key(),
        to=text.to,
        sender=text.sender,
        channel=text.channel,
        source=text.provider,
        provider_message_id=text.provider_message_id,
        text=text.text,
        received_at_ms=text.received_at_ms,
        intent=reply.intent.value,
        scope=reply.scope.value,
        confidence=reply.confidence,
        keyword=reply.keyword,
        language=reply.language,
        evidence=msgspec.json.encode(reply.evidence).decode(),
        review=Review.NONE if reply.certain or reply.intent is Intent.HELP else Review.OPEN,
    )
    if record.review is Review.OPEN:
        if reply.intent is not Intent.OPT_OUT:
            return NewInbound(record)
        effect = opt_out_effect(record, jurisdiction, Scope.PROMOTIONAL, deadlines, now_ms, new_key, certain=False)
        return NewInbound(msgspec.structs.replace(record, opt_out=effect.record.key), opt_out=effect)
    answer = answer_to(text, jurisdiction, reply, settings, sender)
    if reply.intent is Intent.OPT_OUT:
        effect = opt_out_effect(record, jurisdiction, reply.scope, deadlines, now_ms, new_key)
        record = msgspec.structs.replace(record, opt_out=effect.record.key)
        return NewInbound(record, opt_out=effect, answer=answer)
    if reply.intent is Intent.OPT_IN:
        return NewInbound(record, starts_at_ms=now_ms, consent=start_consent(record, new_key()), answer=answer)
    return NewInbound(record, answer=answer)


def opt_out_effect(
    inbound: InboundRecord,
    jurisdiction: str | None,
    scope: Scope,
    deadlines: Sequence[Deadline],
    now_ms: int,
    new_key: Callable[[], int],
    *,
    certain: bool = True,
) -> OptOutEffect:
    """What an opt-out by a reply changes. An uncertain one is not honoured yet: it only suppresses meanwhile."""
    channel, purpose = reach(scope, inbound.channel)
    record = OptOutRecord(
        key=new_key(),
        to=inbound.to,
        channel=channel,
        purpose=purpose,
        scope=scope.value,
        means="keyword" if inbound.keyword else "free_text",
        received_at_ms=inbound.received_at_ms,
        keyword=inbound.keyword,
        jurisdiction=jurisdiction,
        inbound=inbound.key,
        due_at_ms=_earliest(deadlines),
        deadlines=tuple(deadlines),
        honoured_at_ms=now_ms if certain else None,
    )
    reason = BY_REPLY if certain else UNDER_REVIEW
    suppression = SuppressionRecord(new_key(), inbound.to, channel, purpose, reason, now_ms)
    if not certain:
        return OptOutEffect(record, (suppression,))
    withdrawals = tuple(
        _withdrawal(inbound, channel, withdrawn, new_key()) for withdrawn in ((purpose,) if purpose else Purpose)
    )
    return OptOutEffect(record, (suppression,), withdrawals)


def link_effect(
    to: Recipient,
    jurisdiction: str | None,
    channel: Channel,
    message: int,
    deadlines: Sequence[Deadline],
    now_ms: int,
    new_key: Callable[[], int],
) -> OptOutEffect:
    """What the link of a message changes: promotional messages on its channel are suppressed, and consent withdrawn."""
    record = OptOutRecord(
        key=new_key(),
        to=to,
        channel=channel,
        purpose=Purpose.PROMOTIONAL,
        scope=Scope.PROMOTIONAL.value,
        means="link",
        received_at_ms=now_ms,
        jurisdiction=jurisdiction,
        message=message,
        due_at_ms=_earliest(deadlines),
        deadlines=tuple(deadlines),
        honoured_at_ms=now_ms,
    )
    suppression = SuppressionRecord(new_key(), to, channel, Purpose.PROMOTIONAL, BY_LINK, now_ms)
    withdrawal = ConsentRecord(new_key(), to, channel, Purpose.PROMOTIONAL, False, now_ms, source="unsubscribe link")
    return OptOutEffect(record, (suppression,), (withdrawal,))


def reach(scope: Scope, channel: Channel) -> tuple[Channel | None, Purpose | None]:
    """The channel and the purpose that an opt-out reaches; None is every one."""
    if scope is Scope.ALL:
        return None, None
    if scope is Scope.PROMOTIONAL or channel is Channel.EMAIL:
        return channel, Purpose.PROMOTIONAL
    return channel, None


def start_consent(inbound: InboundRecord, key: int) -> ConsentRecord:
    """The consent that START gives: express, with the text as its proof. Whether that is enough is for the rules."""
    return ConsentRecord(
        key=key,
        to=inbound.to,
        channel=inbound.channel,
        purpose=Purpose.PROMOTIONAL,
        granted=True,
        recorded_at_ms=inbound.received_at_ms,
        level=ConsentLevel.EXPRESS.value,
        proof=inbound.text[:10_000],
        source=f"a reply to {inbound.sender}",
    )


def answer_to(
    text: InboundText, jurisdiction: str | None, reply: Reply, settings: InboundSettings, sender: SenderProfile
) -> AnswerOwed | None:
    """What is said in return, if anything, in the language of the text or one to expect of the person."""
    if reply.intent not in _CATEGORIES or not settings.answers_to(reply.intent):
        return None
    likely = expected_languages(text.language, jurisdiction)
    languages = (reply.language, *likely) if reply.language and reply.language != "en" else likely
    brand = sender.name or sender.legal_name or text.sender
    support = sender.phone or sender.email or sender.website
    said = choose_answers(settings.answers, languages).text(reply.intent, brand, support)
    return AnswerOwed(_CATEGORIES[reply.intent], said, text.received_at_ms + ANSWER_WITHIN_MS)


def _earliest(deadlines: Sequence[Deadline]) -> int | None:
    return min((entry.due_at_ms for entry in deadlines), default=None)


def _withdrawal(inbound: InboundRecord, channel: Channel | None, purpose: Purpose, key: int) -> ConsentRecord:
    return ConsentRecord(
        key=key,
        to=inbound.to,
        channel=channel,
        purpose=purpose,
        granted=False,
        recorded_at_ms=inbound.received_at_ms,
        proof=inbound.text[:10_000],
        source=f"a reply to {inbound.sender}",
    )
