"""sender_registration: the number or name a message comes from is entered where the law or the carriers ask for it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chappe.compliance.content.patterns import compiled
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.facts.registries import registry_id
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import Input
from chappe.compliance.sender.originator import SenderType, is_good_for, originator, sender_type
from chappe.compliance.sender.profile import Registration
from chappe.model.customer import CustomerMessage, Purpose, RuleOutcome
from chappe.model.jurisdictions import lineage

_YEAR_MS = 365 * 86_400_000


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What registering costs. Told to people who read the rules; it has no part in a decision."""

    fee_usd: int | None = None
    security_usd: int | None = None


class RegistrationParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the sender must be, and where it must be registered.

    `sender_types` are those the rule is about; none means all. `refused_types` may not send at all. `register` is
    where the sender must be entered, in the rule's jurisdiction, and `needs` which particulars the entry must have;
    `operators` with whom. `template` wants the message's template among those of the entry. `class_specific` wants an
    entry for the message's purpose alone. An entry without an end lasts `valid_years`. `id_patterns` is what the
    sender must look like, by purpose. `foreign_purposes`, `foreign_categories`: what a sender established elsewhere
    may send; either set makes the rule ask where the sender is.

    Exempt are senders whose profile names one of `exempt`, and messages to those who bought something within
    `exempt_customers_years`.

    `cost` is for readers only.
    """

    sender_types: tuple[SenderType, ...] = ()
    refused_types: tuple[SenderType, ...] = ()
    register: str | None = None
    needs: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    template: bool = False
    class_specific: bool = False
    valid_years: Annotated[int, msgspec.Meta(ge=1)] | None = None
    id_patterns: dict[Purpose, str] = {}
    foreign_purposes: tuple[Purpose, ...] | None = None
    foreign_categories: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    exempt_customers_years: Annotated[int, msgspec.Meta(ge=1)] | None = None
    cost: Cost | None = None

    def __post_init__(self) -> None:
        for pattern in self.id_patterns.values():
            compiled(pattern)
        if (self.needs or self.operators or self.template) and self.register is None:
            raise ValueError("register: name the register that the rest is about")


class RegistrationRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="sender_registration"):
    """Blocks what comes from a sender that is not registered as it has to be."""

    parameters: RegistrationParameters

    @property
    def swayed_by(self) -> Input:
        inputs = Input.FROM | Input.CATEGORY | Input.TEMPLATE
        return inputs if self.parameters.exempt_customers_years is None else inputs | Input.PERSON

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        exemption = self._exemption(facts, now_ms)
        if exemption is not None:
            return self.kept(exemption)
        if asked.foreign_purposes is not None or asked.foreign_categories:
            return self._foreign(message, facts)
        sender = originator(message, facts.sender, facts.jurisdiction, now_ms)
        if sender is None:
            return self._without_sender()
        found = sender_type(sender)
        if found in asked.refused_types:
            return self.broken(f"{sender} is a {_words(found)} sender, which may not send here: name another in `from`")
        if asked.sender_types and found not in asked.sender_types:
            return self.kept(f"the rule is not about {_words(found)} senders")
        pattern = asked.id_patterns.get(message.purpose)
        if pattern is not None and compiled(pattern).search(sender) is None:
            return self.broken(
                f"{sender} may not carry {message.purpose} messages: name a sender in `from` that matches {pattern}"
            )
        if asked.register is None:
            return self.kept(f"{sender} may carry {message.purpose} messages")
        return self._registered(sender, message, facts, now_ms)

    def _exemption(self, facts: Facts, now_ms: int) -> str | None:
        asked = self.parameters
        claimed = next((name for name in asked.exempt if name in facts.sender.exemptions), None)
        if claimed is not None:
            return f"the sender is exempt: {claimed.replace('_', ' ')}"
        bought_ms = facts.person.last_purchase_ms
        years = asked.exempt_customers_years
        if years is not None and bought_ms is not None and now_ms - bought_ms <= years * _YEAR_MS:
            return f"the recipient bought something within {years} years"
        return None

    def _foreign(self, message: CustomerMessage, facts: Facts) -> RuleOutcome:
        asked = self.parameters
        country = facts.sender.country
        if country is None:
            return self.broken("only senders of the country may send this: say where it is in senders.NAME.country")
        if self.jurisdiction in lineage(country):
            return self.kept(f"the sender is established in {country}")
        if message.purpose in (asked.foreign_purposes or ()) or message.category in asked.foreign_categories:
            return self.kept("senders abroad may send such messages")
        return self.broken(f"the sender is established in {country}, and senders abroad may not send such messages")

    def _without_sender(self) -> RuleOutcome:
        asked = self.parameters
        if asked.register is None and not asked.refused_types:
            return self.kept("only the provider knows the sender")
        return self.broken(
            "what it comes from must be known: give `from`, or set sms_from (voice_from) of senders.NAME"
        )

    def _registered(self, sender: str, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        assert asked.register is not None
        wanted = registry_id(asked.register)
        entries = [
            entry
            for entry in facts.sender.registrations
            if registry_id(entry.register) == wanted
            and self.jurisdiction in lineage(entry.country)
            and (entry.id is None or entry.id == sender)
        ]
        if not entries:
            return self.broken(
                f"{sender} is not registered with {asked.register}: register it, and enter that in "
                "senders.NAME.registrations"
            )
        faults = [self._fault(entry, message, now_ms) for entry in entries]
        fault = next((fault for fault in faults if fault is not None), None)
        if None in faults:
            return self.kept(f"{sender} is registered with {asked.register}")
        return self.broken(
            f"the registration of {sender} with {asked.register} {fault}: see senders.NAME.registrations"
        )

    def _fault(self, entry: Registration, message: CustomerMessage, now_ms: int) -> str | None:
        asked = self.parameters
        if not is_good_for(entry, message.purpose, now_ms, asked.valid_years):
            return f"does not hold now for {message.purpose} messages"
        if asked.class_specific and entry.purposes != (message.purpose,):
            return f"is not for {message.purpose} messages alone"
        lacking = [name for name in asked.needs if not entry.particulars.get(name)]
        if lacking:
            return f"lacks {', '.join(lacking)} among its particulars"
        missing = [name for name in asked.operators if name not in entry.operators]
        if missing:
            return f"is not with {', '.join(missing)}"
        if asked.template and message.template not in {template.id for template in entry.templates}:
            return (
                f"has no template {message.template}"
                if message.template
                else "has templates, and the message names none in `template`"
            )
        return None


def _words(kind: SenderType) -> str:
    return kind.value.replace("_", " ")
