"""Whether a message shows a way to refuse the next one, and what has to be added to it if it does not."""

from __future__ import annotations

import msgspec

from chappe.compliance.content.opt_out_means import has_one_click, language_of, means_of, statement, states
from chappe.compliance.content.shown import shown
from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import Amendment, CustomerMessage, Place


class WayOut(msgspec.Struct, frozen=True):
    """`lacks` says why the message neither shows a way out nor can be made to; without it, `amendments` make it so."""

    lacks: str = ""
    amendments: tuple[Amendment, ...] = ()


SHOWN = WayOut()


def way_out(message: CustomerMessage, facts: Facts, *, free: bool = False) -> WayOut:
    """How the message stands; with `free`, only ways that cost the person nothing count."""
    if has_one_click(facts, message):
        return SHOWN
    means = means_of(facts, message)
    if free and means:
        means = tuple(entry for entry in means if entry.free)
        if not means:
            return WayOut("every way to refuse that the sender's profile names costs the person something")
    if states(shown(message.content), means):
        return SHOWN
    if not means:
        return WayOut("the message shows no way to refuse: name one under unsubscribe in the sender's profile")
    return WayOut("", (Amendment(Place.TEXT_END, statement(means[0], language_of(message, facts))),))
