"""label: advertising is marked as such, in the text or in what it comes from."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chappe.compliance.consent.grants import standing_consent
from chappe.compliance.content.opt_out_means import means_of
from chappe.compliance.content.particulars import Asked, in_words, lacking, line_of, unstated
from chappe.compliance.content.shown import Shown, folded, shown
from chappe.compliance.facts.recipient import ConsentLevel, Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import EVERYTHING, NOTHING, Input
from chappe.compliance.sender.originator import originator
from chappe.model.customer import Amendment, Channel, CustomerMessage, Place, RuleOutcome


class LabelParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the label stands and what it says.

    `position` `start` is the start of the subject, or of the text where there is none; `anywhere` is anywhere in
    subject or text; `sender_start` and `sender_end` are of the name it comes from. Any of `texts` will do, and the
    first is added. `by_class` gives the text by the message's category, or else purpose, instead. `also` are
    particulars of the sender that go with the label, `tail` is what the text ends with, followed by a free way to opt
    out. A sender's name has at most `sender_characters_max` characters. With `added_by_carrier` a missing label is no
    fault, only a wrong one. `waived_by` is the consent of the recipient that makes the label needless.
    """

    position: Literal["start", "anywhere", "sender_start", "sender_end"]
    texts: tuple[str, ...] = ()
    by_class: dict[str, str] = {}
    also: tuple[Asked, ...] = ()
    tail: str | None = None
    sender_characters_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    added_by_carrier: bool = False
    waived_by: ConsentLevel | None = None

    def __post_init__(self) -> None:
        if bool(self.texts) == bool(self.by_class):
            raise ValueError("texts: give either texts or by_class")


class LabelRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="label"):
    """Adds the label to subject or text; one that belongs in the sender's name it can only ask for."""

    parameters: LabelParameters

    @property
    def swayed_by(self) -> Input:
        inputs = NOTHING if self.parameters.waived_by is None else Input.CONSENTS
        if self.parameters.position in ("sender_start", "sender_end"):
            return inputs | Input.FROM | Input.CATEGORY
        return EVERYTHING

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        if asked.waived_by is not None:
            consent = standing_consent(facts.consents, message.channel, message.purpose, now_ms).consent
            if consent is not None and consent.strength.rank >= asked.waived_by.rank:
                return self.kept("the recipient asked for such messages")
        if asked.position in ("sender_start", "sender_end"):
            return self._of_sender(message, facts, now_ms)
        return self._of_content(message, facts, now_ms)

    def _of_sender(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        wanted = self._texts(message)
        sender = originator(message, facts.sender, facts.jurisdiction, now_ms)
        if sender is None:
            if asked.added_by_carrier:
                return self.kept("the carrier adds the label")
            return self.broken(
                f"the sender's name must {self._place()} {wanted[0]}: register one and name it in `from`"
            )
        if asked.sender_characters_max is not None and len(sender) > asked.sender_characters_max:
            return self.broken(f"the sender's name {sender} has more than {asked.sender_characters_max} characters")
        at_start = asked.position == "sender_start"
        if any(sender.startswith(text) if at_start else sender.endswith(text) for text in wanted):
            return self.kept(f"it comes from {sender}")
        if asked.added_by_carrier and not sender.endswith(tuple(asked.by_class.values())):
            return self.kept("the carrier adds the label")
        return self.broken(
            f"the sender's name must {self._place()} {wanted[0]}, and it is {sender}: register one and name it in "
            "`from` or in senders.NAME.registrations"
        )

    def _place(self) -> str:
        return "begin with" if self.parameters.position == "sender_start" else "end with"

    def _texts(self, message: CustomerMessage) -> tuple[str, ...]:
        asked = self.parameters
        if asked.texts:
            return asked.texts
        named = asked.by_class.get(message.category or "") or asked.by_class.get(message.purpose.value)
        return (named,) if named else tuple(asked.by_class.values())

    def _of_content(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked, seen, label = self.parameters, shown(message.content), self._texts(message)[0]
        amendments: list[Amendment] = []
        has_subject = message.channel is Channel.EMAIL or bool(seen.subject)
        if not self._is_labelled(message, seen, has_subject=has_subject):
            amendments.append(Amendment(Place.SUBJECT_START if has_subject else Place.TEXT_START, label))
        missing = lacking(asked.also, seen, message, facts, now_ms)
        if missing:
            line = line_of(missing, facts)
            if line is None:
                return self.broken(
                    f"the message must show {in_words(missing)} of its sender: set {unstated(missing, facts)} of "
                    "senders.NAME"
                )
            amendments.append(Amendment(Place.TEXT_END if has_subject else Place.TEXT_START, line))
        if asked.tail is not None and not seen.says(asked.tail):
            free = next((means for means in means_of(facts, message) if means.free), None)
            if free is None:
                return self.broken(
                    f"the text must end with {asked.tail} and a free way to opt out: name one in "
                    "senders.NAME.unsubscribe"
                )
            amendments.append(Amendment(Place.TEXT_END, f"{asked.tail} {free.value}"))
        if not amendments:
            return self.kept("the message is labelled")
        if self.action == "annotate":
            return self.broken(f"the message is not marked as {label}")
        return self.amended(f"the label {label} is added", *amendments)

    def _is_labelled(self, message: CustomerMessage, seen: Shown, *, has_subject: bool) -> bool:
        texts = [folded(text) for text in self._texts(message)]
        if self.parameters.position == "anywhere":
            subject = folded(seen.subject)
            return any(text in subject or seen.says(text) for text in texts)
        heads = (seen.subject,) if has_subject else seen.bodies
        return bool(heads) and all(any(folded(head).startswith(text) for text in texts) for head in heads)
