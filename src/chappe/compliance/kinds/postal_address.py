"""postal_address: a message shows where its sender can be written to."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chappe.compliance.content.particulars import Asked, Particular, holds_for, in_words, lacking, line_of, unstated
from chappe.compliance.content.shown import shown
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.sender.profile import AddressKind
from chappe.model.customer import Amendment, Channel, CustomerMessage, Place, RuleOutcome


class PostalAddressParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`accept` are the kinds of address that will do. `fields` are further particulars to be shown; an entry that is a
    list is met by any of it. All of them must go on holding for `valid_days`. On the channels of `link_suffices` a link
    to a page that shows them (`imprint` of the profile) is enough.
    """

    accept: tuple[AddressKind, ...] = ("street", "registered_po_box", "registered_private_mailbox")
    fields: tuple[Asked, ...] = ()
    valid_days: Annotated[int, msgspec.Meta(ge=1)] | None = None
    link_suffices: tuple[Channel, ...] = ()


class PostalAddressRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="postal_address"):
    """Adds the sender's postal address, or blocks where the profile has none of an accepted kind."""

    parameters: PostalAddressParameters = PostalAddressParameters()

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked, sender = self.parameters, facts.sender
        if sender.postal_address is None:
            return self.broken("the message must show a postal address: set postal_address of senders.NAME")
        if sender.postal_address_kind not in asked.accept:
            return self.broken(
                f"the sender's address is of the kind {sender.postal_address_kind}; accepted: "
                f"{', '.join(asked.accept)}: set postal_address and postal_address_kind of senders.NAME"
            )
        if not holds_for(asked.valid_days, facts, now_ms):
            return self.broken(
                f"the address must hold for {asked.valid_days} days, and ends on {sender.valid_until}: renew it and "
                "senders.NAME.valid_until"
            )
        seen = shown(message.content)
        by_link = message.channel in asked.link_suffices and sender.imprint is not None
        if by_link and sender.imprint is not None and seen.says(sender.imprint):
            return self.kept("the message links to a page with the sender's address")
        wanted: tuple[Asked, ...] = (*asked.fields, Particular.POSTAL_ADDRESS)
        missing = lacking(wanted, seen, message, facts, now_ms)
        if not missing:
            return self.kept("the message shows the sender's address")
        line = sender.imprint if by_link else line_of(missing, facts)
        if line is None:
            return self.broken(
                f"the message must show {in_words(missing)} of its sender: set {unstated(missing, facts)} of "
                "senders.NAME"
            )
        return self.amended(f"{in_words(missing)} of the sender is added", Amendment(Place.TEXT_END, line))
