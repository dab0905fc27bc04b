"""What a message is, by its content: judged once, when it is accepted, and carried in it from then on.

So a message that is queued again after a crash, or decided again days later, is what it was, whatever model is in use
by then; and rules, lane, limits, audit log and backtests all go by the same purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chappe.classify.drift import Drift
from chappe.classify.explain import explain
from chappe.classify.fingerprint import TEXT_CHARACTERS_MAX, fingerprint
from chappe.classify.labels import Label
from chappe.classify.links import links_in
from chappe.classify.model import Verdict
from chappe.classify.moderation import Moderator
from chappe.classify.policy import Policy, content_flag, link_flag, moderation_flag, suspected
from chappe.classify.second.consulting import Consultant
from chappe.classify.second.metadata import Metadata
from chappe.classify.serving import Serving
from chappe.compliance.content.shown import visible_text
from chappe.compliance.sender.profile import SenderProfile
from chappe.compliance.sender.senders import Senders, bare_sender
from chappe.model.categories import ANSWERS
from chappe.model.classification import Classification, Flag, Treatment
from chappe.model.customer import Content, CustomerMessage, Purpose

WORDS_TOLD = 4
_FLAGGED_KEPT = 8_192
_SHOWN_FIELDS = ("title", "subtitle", "subject", "body", "text", "message", "alert", "content")
_DATA_TEXTS_MAX = 20


class SecondVerdict(msgspec.Struct, frozen=True):
    """The verdict of a model and a second opinion together, and the version of the model."""

    verdict: Verdict
    model: str


class ContentCheck:
    """Judges messages by one model, one policy and one set of lists. Use from one event loop.

    With a `consultant`, uncertain verdicts get a second opinion where one is asked for (`second_verdict`) and handed
    on: waiting for it is no part of judging.
    """

    def __init__(
        self,
        serving: Serving,
        policy: Policy,
        moderator: Moderator,
        senders: Senders,
        consultant: Consultant | None = None,
    ) -> None:
        self.serving = serving
        self.policy = policy
        self.moderator = moderator
        self.drift = Drift()
        self.consultant = consultant
        self._senders = senders
        self._flags = lru_cache(maxsize=_FLAGGED_KEPT)(self._flags_of)
        self._own_domains = lru_cache(maxsize=1_024)(self._domains_of)

    def is_uncertain(self, content: Content, template: str | None = None) -> bool:
        """Whether the verdict on this content would get a second opinion."""
        texts = readable_texts(content) if self.consultant is not None else ()
        if self.consultant is None or not texts:
            return False
        return self.consultant.is_uncertain(self._worst(texts, template)[1])

    async def second_verdict(self, content: Content, template: str | None, metadata: Metadata) -> SecondVerdict | None:
        """The verdict on this content with a second opinion; None where the model is certain, or it came too late."""
        texts = readable_texts(content) if self.consultant is not None else ()
        if self.consultant is None or not texts:
            return None
        text, first = self._worst(texts, template)
        model = self.serving.model
        both = await self.consultant.verdict(text, first, metadata)
        if both is first:
            return None
        if both.label is Label.TRANSACTIONAL and both.kind is None:
            both = msgspec.structs.replace(both, kind=model.kind_of(fingerprint(text)))
        return SecondVerdict(both, model.version)

    def classified(
        self, message: CustomerMessage, *, counted: bool = True, second: SecondVerdict | None = None
    ) -> CustomerMessage:
        """The message with what its content was found to be, and the purpose that follows.

        Content that says nothing to a reader is left as it is. Only what is `counted` shows in metrics and is compared
        with the model in the shadow. `second` is what `second_verdict` gave for its content; it is left aside if
        another model was put in use meanwhile.
        """
        if message.category in ANSWERS:
            return message
        texts = readable_texts(message.content)
        if not texts:
            return message
        text, first = self._worst(texts, message.template)
        if second is not None and second.model != self.serving.model.version:
            second = None
        verdict = first if second is None else second.verdict
        declared_promotional = message.purpose is Purpose.PROMOTIONAL
        exempt = self.policy.exempts(message.category, bare_sender(message.sender or ""))
        flags = () if exempt else self._all_flags(message, texts, text, verdict, declared_promotional)
        found = _classification(
            self.serving.model.version, verdict, flags, self.policy.hold_ms, second_opinion=second is not None
        )
        if counted:
            self.drift.note(
                message.sender, verdict, found.treatment, declared_promotional=declared_promotional, of_model=first
            )
            self.serving.compare(text, message.template, first, message.id, message.created_at_ms)
        if declared_promotional or not any(flag.treatment is Treatment.PROMOTIONAL for flag in flags):
            return msgspec.structs.replace(message, classification=found)
        return msgspec.structs.replace(
            message, purpose=Purpose.PROMOTIONAL, declared=message.purpose, classification=found
        )

    def flags_of_text(self, text: str, sender: str | None = None) -> tuple[Flag, ...]:
        """What moderation and links give for a text from this sender."""
        domains = self._own_domains(sender)
        return self._flags(text, domains) if len(text) <= TEXT_CHARACTERS_MAX else self._flags_of(text, domains)

    def own_domains_of(self, sender: str | None) -> tuple[str, ...]:
        """The domains that are this sender's own."""
        return self._own_domains(sender)

    def suspicion_of(self, text: str, verdict: Verdict, *, declared_promotional: bool) -> Flag | None:
        """What the verdict on a text gives cause for."""
        suspect = suspected(self.policy, verdict, declared_promotional=declared_promotional)
        if suspect is None:
            return None
        model = self.serving.model
        weighed = [entry.gram for entry in explain(model, text).weighed if entry.weight > 0 and entry.gram[0] != "^"]
        kind = model.kind_of(fingerprint(text))
        return content_flag(self.policy, suspect, verdict, kind, tuple(weighed[:WORDS_TOLD]))

    def _worst(self, texts: tuple[str, ...], template: str | None) -> tuple[str, Verdict]:
        """Of plain text and HTML the one that is least transactional: a reader sees only one of them."""
        judged = [(text, self.serving.judge(text, template)) for text in texts]
        return judged[0] if len(judged) == 1 else min(judged, key=lambda entry: entry[1].probabilities[0])

    def _all_flags(
        self,
        message: CustomerMessage,
        texts: tuple[str, ...],
        text: str,
        verdict: Verdict,
        declared_promotional: bool,
    ) -> tuple[Flag, ...]:
        flags: tuple[Flag, ...] = ()
        for readable in texts:
            flags += self.flags_of_text(readable, message.sender)
        suspicion = self.suspicion_of(text, verdict, declared_promotional=declared_promotional)
        if suspicion is not None:
            flags = (suspicion, *flags)
        return flags if len(flags) < 2 else tuple(dict.fromkeys(flags))

    def _flags_of(self, text: str, own_domains: tuple[str, ...]) -> tuple[Flag, ...]:
        flags = [moderation_flag(self.policy, category) for category in self.moderator.categories_of(text)]
        seen: set[str] = set()
        for link in links_in(text, own_domains=own_domains):
            for suspicion in link.suspicions:
                if suspicion not in seen:
                    seen.add(suspicion)
                    flags.append(link_flag(self.policy, suspicion, link.host))
        return tuple(flags)

    def _domains_of(self, sender: str | None) -> tuple[str, ...]:
        return own_domains(self._senders.known_as(sender))


def _classification(
    version: str, verdict: Verdict, flags: tuple[Flag, ...], hold_ms: int, *, second_opinion: bool
) -> Classification:
    found = Classification(
        label=verdict.label.value,
        probability=round(verdict.probability, 4),
        model=version,
        kind=verdict.kind and verdict.kind.value,
        flags=flags,
        second_opinion=second_opinion,
    )
    return msgspec.structs.replace(found, hold_ms=hold_ms) if found.treatment is Treatment.HOLD else found


def readable_texts(content: Content) -> tuple[str, ...]:
    """What a person gets to read: the plain text, the HTML, or the texts in data, each with the subject before it."""
    bodies = []
    if content.text is not None and content.text.strip():
        bodies.append(content.text)
    if content.html is not None and (seen := visible_text(content.html)):
        bodies.append(seen)
    if not bodies and content.data is not None:
        bodies += filter(None, ["\n".join(_texts_in(content.data))])
    if not content.subject:
        return tuple(bodies)
    return tuple(f"{content.subject}\n{body}" for body in bodies) or (content.subject,)


def _texts_in(data: dict[str, Any]) -> list[str]:
    found: list[str] = []
    waiting: list[Any] = [data]
    while waiting and len(found) < _DATA_TEXTS_MAX:
        for name, value in waiting.pop(0).items():
            if isinstance(value, dict):
                waiting.append(value)
            elif name in _SHOWN_FIELDS and isinstance(value, str):
                found.append(value)
    return found[:_DATA_TEXTS_MAX]


def own_domains(profile: SenderProfile) -> tuple[str, ...]:
    """The domains that a sender says are its own."""
    return tuple(dict.fromkeys(domain for domain in _domains(profile) if "." in domain and " " not in domain))


def _domains(profile: SenderProfile) -> Iterator[str]:
    for url in (profile.website, profile.imprint):
        if url is not None:
            yield _host(url)
    for identity in (profile.email, *profile.identities):
        if identity is not None:
            yield bare_sender(identity).rpartition("@")[2]
    for registration in profile.registrations:
        for link in registration.allowed_links:
            yield _host(link)


def _host(url: str) -> str:
    try:
        host = urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")
