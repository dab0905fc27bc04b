"""opt_out_keyword: words that a person can answer with, and what messages say of them.

Reading answers is not this kind's matter: whoever reads them takes the words, and what an answer to them has to say,
from `keyword_rules`. Of messages it judges three things. Who has answered with one of the words gets no more of them.
The answer to such a word says what it must. And messages say of the word what the rule asks.

Only informing, with no part in a verdict: `keep_for` (see `opt_out_honour.keep_until_ms` for its kin) and `informs`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import re2

from chappe.compliance.calendar.periods import Period
from chappe.compliance.consent.grants import standing_consent
from chappe.compliance.consent.opt_outs import in_words, is_own_address, plain_word, standing_request
from chappe.compliance.content.opt_out_means import means_of
from chappe.compliance.content.particulars import Particular, shows
from chappe.compliance.content.shown import Shown, shown
from chappe.compliance.facts.consents import ConsentLevel
from chappe.compliance.facts.opt_outs import OptOutRequest, OptOutTopic, RequestMeans
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import Rule, StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.compliance.sender.originator import SenderType, originator, sender_type
from chappe.model.categories import HELP_REPLY, OPT_OUT_CONFIRMATION
from chappe.model.customer import Amendment, Channel, CustomerMessage, Place, Purpose, RuleOutcome
from chappe.model.jurisdictions import lineage

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
SENDER = "<sender>"
"""Stands in a keyword for the name of the sender."""


class ReplyItem(StrEnum):
    """What the answer to a keyword says."""

    BRAND_NAME = "brand_name"
    CONFIRMATION_NO_MORE = "confirmation_no_more"
    """That no more messages will come."""
    SUPPORT_CONTACT = "support_contact"


class Mention(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each promotional message shows: text that the pattern `shows` (RE2) finds, or else `add` is added to it.

    `add` may hold {sender}, which is what the message comes from, and {number}: what matches the pattern `number` in
    that, in the sender's usual number or in the values of its ways to opt out.
    """

    shows: str
    add: str
    number: str | None = None

    def __post_init__(self) -> None:
        for name, pattern in (("shows", self.shows), ("number", self.number)):
            try:
                _pattern(pattern or "")
            except re2.error as error:
                raise ValueError(f"{name}: is not a pattern of RE2: {error}") from None


class KeywordParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`keywords` mean `intent` when they are the whole answer; `also` are words that are answered with who the sender
    is. With `free_text` other wording with that meaning counts as well.

    `reply` is what the answer says (category `opt_out_confirmation`, or `help_reply` for `also` and for help), and
    `reply_max` how often a request is answered. With `exclusive_means_allowed: false` no message may say that there is
    only one way to opt out. With a `number_type` the rule is about messages from such numbers alone, and with
    `custom_reply: false` the network gives the answer, so the sender gives none.

    `mention` is what each promotional message shows. With `opt_in_required` it needs an express consent, and with
    `free` the sender must have a way to refuse that costs nothing.
    """

    keywords: tuple[Word, ...]
    intent: Literal["opt_out", "help"] = "opt_out"
    also: tuple[Word, ...] = ()
    free_text: bool = False
    reply: tuple[ReplyItem, ...] = ()
    reply_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    exclusive_means_allowed: bool = True
    number_type: SenderType | None = None
    custom_reply: bool = True
    mention: Mention | None = None
    opt_in_required: bool = False
    free: bool = False
    keep_for: Period | None = None
    informs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.keywords:
            raise ValueError("keywords: name at least one")


class KeywordRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="opt_out_keyword"):
    """Blocks what a person has answered with a keyword to, and sees that messages and answers say what they must."""

    parameters: KeywordParameters

    @property
    def swayed_by(self) -> Input:
        asked = self.parameters
        inputs = Input.CATEGORY | Input.OPT_OUTS | Input.ANSWER
        if asked.number_type is not None:
            inputs |= Input.FROM
        if asked.mention is not None or not asked.exclusive_means_allowed:
            inputs |= Input.CONTENT
        if asked.opt_in_required:
            inputs |= Input.CONSENTS
        return inputs

    @property
    def patterns(self) -> tuple[Any, ...]:
        asked = self.parameters
        mention = () if asked.mention is None else (_pattern(asked.mention.shows),)
        return mention if asked.exclusive_means_allowed else (*mention, _EXCLUSIVE)

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wanted = self.parameters
        if wanted.number_type is not None:
            sender = originator(message, facts.sender, facts.jurisdiction, now_ms)
            if sender is None or sender_type(sender) is not wanted.number_type:
                return self.kept(
                    f"the message does not come from a {wanted.number_type.value.replace('_', ' ')} number"
                )
        request = self._request(message, facts, now_ms) if facts.opt_outs else None
        if message.category in (OPT_OUT_CONFIRMATION, HELP_REPLY):
            return self._of_answer(message, facts, request, now_ms)
        if request is not None:
            return self.broken(in_words(request))
        return self._of_message(message, facts, now_ms)

    def means(self, keyword: str) -> bool:
        """Whether a word is one of the rule's keywords, however it is written."""
        return plain_word(keyword) in _plain_words(self.parameters.keywords) or any(
            plain_word(keyword).startswith(prefix) and plain_word(keyword) != prefix
            for prefix in _prefixes(self.parameters.keywords)
        )

    def _request(self, message: CustomerMessage, facts: Facts, now_ms: int) -> OptOutRequest | None:
        wanted = self.parameters
        if wanted.intent != "opt_out":
            return None

        def counts(request: OptOutRequest) -> bool:
            if request.topic is not OptOutTopic.MESSAGES or not is_own_address(request, message):
                return False
            if request.keyword is not None and self.means(request.keyword):
                return True
            return wanted.free_text and request.means in (RequestMeans.FREE_TEXT, RequestMeans.KEYWORD)

        return standing_request(message, facts, now_ms, counts)

    def _of_answer(
        self, message: CustomerMessage, facts: Facts, request: OptOutRequest | None, now_ms: int
    ) -> RuleOutcome:
        wanted = self.parameters
        is_help = message.category == HELP_REPLY
        if is_help is not (wanted.intent == "help") and not (is_help and wanted.also):
            return self.kept("the rule is about other answers")
        if not wanted.custom_reply:
            return self.broken("the network answers the keyword itself, so the sender sends no answer of its own")
        answered = 0 if request is None else len(request.confirmations_sent_at_ms)
        if request is not None and wanted.reply_max is not None and answered >= wanted.reply_max:
            return self.broken(f"{in_words(request)}, which has been answered already")
        amendments = []
        seen = shown(message.content)
        for item in wanted.reply:
            amendment, lacks = _completed(item, seen, message, facts, now_ms)
            if lacks:
                return self.broken(lacks)
            if amendment is not None:
                amendments.append(amendment)
        if amendments:
            return self.amended("the answer does not say all it has to, so that is added", *amendments)
        return self.kept("the answer says what it has to")

    def _of_message(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        wanted = self.parameters
        seen = shown(message.content) if wanted.mention or not wanted.exclusive_means_allowed else _NOT_LOOKED_AT
        if not wanted.exclusive_means_allowed and seen.has(_EXCLUSIVE):
            return self.broken("the message says that there is only one way to opt out: any reasonable one counts")
        if message.purpose is not Purpose.PROMOTIONAL:
            return self.kept(_NO_KEYWORD)
        if wanted.opt_in_required and not _opted_in(message, facts, now_ms):
            return self.broken("advertising goes only to people who have opted in, and no express consent is on record")
        means = means_of(facts, message) if wanted.free else ()
        if means and not any(entry.free for entry in means):
            return self.broken("every way to refuse that the sender's profile names costs the person something")
        if wanted.mention is None or seen.matches(_pattern(wanted.mention.shows)):
            return self.kept(_NO_KEYWORD)
        text = _filled(wanted.mention, message, facts, now_ms)
        if text is None:
            return self.broken(
                f"the message has to show {wanted.mention.add!r}, and what to put there is not known: "
                "give the number under unsubscribe, or what messages come from, in the sender's profile"
            )
        return self.amended(
            "the message does not show how to refuse, so that is added", Amendment(Place.TEXT_END, text)
        )


def keyword_rules(
    rules: Iterable[Rule], jurisdiction: str | None, channel: Channel, now_ms: int
) -> tuple[KeywordRule, ...]:
    """The rules whose keywords have to be understood from people there, on that channel, nearest jurisdiction first."""
    places = lineage(jurisdiction)
    binding = [
        rule
        for rule in rules
        if isinstance(rule, KeywordRule)
        and rule.jurisdiction in places
        and any(rule.binds(channel, purpose) for purpose in Purpose)
        and rule.in_force_ms()[0] <= now_ms < rule.in_force_ms()[1]
    ]
    return tuple(sorted(binding, key=lambda rule: places.index(rule.jurisdiction)))


_NO_KEYWORD = "nobody has answered the sender with such a word"
_NOT_LOOKED_AT = Shown("", ())
_EXCLUSIVE = re2.compile(
    r"(?i)\bonly (?:way|means|method)s? (?:to|of) (?:stop|opt|unsubscrib|end|cancel)|"
    r"(?:opt[ -]?out|unsubscribe|stop messages)\b[^.!?]{0,30}\bonly (?:by|via|through)\b"
)
_NO_MORE = re2.compile(
    r"(?i)no (?:more|further)|not (?:receive|get|send|be sent)|won.t (?:receive|get|send)|"
    r"unsubscribed|opted[ -]out|removed"
)
_NO_MORE_SENTENCE = "You will get no more messages."


def _completed(
    item: ReplyItem, seen: Shown, message: CustomerMessage, facts: Facts, now_ms: int
) -> tuple[Amendment | None, str]:
    """What has to be added to an answer for an item, or why it cannot be."""
    sender = facts.sender
    if item is ReplyItem.CONFIRMATION_NO_MORE:
        return (None if seen.matches(_NO_MORE) else Amendment(Place.TEXT_END, _NO_MORE_SENTENCE)), ""
    if item is ReplyItem.BRAND_NAME:
        if shows(Particular.NAME, seen, message, facts, now_ms):
            return None, ""
        name = sender.name or sender.legal_name
        lacks = "" if name else "the answer has to name the sender: give its name in the sender's profile"
        return (Amendment(Place.TEXT_START, f"{name}:") if name else None), lacks
    contacts = (Particular.PHONE, Particular.EMAIL, Particular.WEBSITE)
    if any(shows(contact, seen, message, facts, now_ms) for contact in contacts):
        return None, ""
    contact = sender.phone or sender.email or sender.website
    lacks = (
        "" if contact else "the answer has to say how to get help: give phone, email or website in the sender's profile"
    )
    return (Amendment(Place.TEXT_END, f"Help: {contact}") if contact else None), lacks


def _filled(mention: Mention, message: CustomerMessage, facts: Facts, now_ms: int) -> str | None:
    """The text to add, or None if it cannot be made up."""
    text = mention.add
    sender = originator(message, facts.sender, facts.jurisdiction, now_ms)
    if "{sender}" in text:
        if sender is None:
            return None
        text = text.replace("{sender}", sender)
    if "{number}" in text:
        places = [sender, facts.sender.sms_from, *(entry.value for entry in facts.sender.unsubscribe)]
        found = (_first_match(mention.number or "^.+$", place) for place in places if place)
        number = next((match for match in found if match is not None), None)
        if number is None:
            return None
        text = text.replace("{number}", number)
    return text


def _opted_in(message: CustomerMessage, facts: Facts, now_ms: int) -> bool:
    consent = standing_consent(facts.consents, message.channel, message.purpose, now_ms).consent
    return consent is not None and consent.strength.rank >= ConsentLevel.EXPRESS.rank


@lru_cache(maxsize=1_024)
def _pattern(text: str) -> Any:
    return re2.compile(text)


@lru_cache(maxsize=1_024)
def _first_match(pattern: str, place: str) -> str | None:
    found = _pattern(pattern).search(place)
    return None if found is None else str(found.group())


@lru_cache(maxsize=1_024)
def _plain_words(keywords: tuple[str, ...]) -> frozenset[str]:
    return frozenset(plain_word(keyword) for keyword in keywords if SENDER not in keyword)


@lru_cache(maxsize=1_024)
def _prefixes(keywords: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(plain_word(keyword.partition(SENDER)[0]) for keyword in keywords if SENDER in keyword)
