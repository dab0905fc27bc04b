"""What the outcome of a rule depends on, so that one worked out already can be used again.

Most of what rules ask about a person is not there for most people: no request to stop, no entry in a register, no
birthday. A rule that nothing of a message sways says the same as it said of the last one from that sender, to that
place, on that day; `Rule.swayed_by` tells which inputs sway it. Whatever is not declared sways it, so forgetting one is
impossible and forgetting all only costs time.
"""

from __future__ import annotations

from enum import Flag, auto
from operator import attrgetter
from typing import Any

from chappe.compliance.facts.person import Person
from chappe.compliance.facts.recipient import Facts
from chappe.model.categories import ANSWERS
from chappe.model.customer import CustomerMessage


class Input(Flag):
    """The inputs of a decision, as far as rules are told apart by them.

    Channel and purpose are not among them, because rules are chosen by these. Neither are the day (in UTC), the place
    and the sender's profile: an outcome is only ever used again for the same ones.
    """

    FROM = auto()
    """`message.sender`. This one and the next three are compared: an outcome is used again for the same values."""
    CATEGORY = auto()
    LANGUAGE = auto()
    TEMPLATE = auto()

    METADATA = auto()
    """From here on an outcome is used again only while these are absent: empty, or of a person not known."""
    ANSWER = auto()
    """That the message is an answer of the server to what a person has just sent."""
    SUPPRESSIONS = auto()
    CONSENTS = auto()
    OPT_OUTS = auto()
    PERSON = auto()
    REGISTRIES = auto()
    SENDS = auto()
    RATES = auto()

    CONTENT = auto()
    """This one and the next are never absent. They stand as well for all that is not named here (address, times)."""
    CLOCK = auto()


EVERYTHING = ~Input(0)
NOTHING = Input(0)
HEADER = {Input.FROM: "sender", Input.CATEGORY: "category", Input.LANGUAGE: "language", Input.TEMPLATE: "template"}
"""The inputs whose values are compared, by the field of the message."""

_COMPARED = Input.FROM | Input.CATEGORY | Input.LANGUAGE | Input.TEMPLATE
_ALWAYS = (Input.CONTENT | Input.CLOCK).value
_METADATA, _ANSWER = Input.METADATA.value, Input.ANSWER.value
_SUPPRESSIONS, _CONSENTS, _OPT_OUTS = Input.SUPPRESSIONS.value, Input.CONSENTS.value, Input.OPT_OUTS.value
_PERSON, _REGISTRIES = Input.PERSON.value, Input.REGISTRIES.value
_SENDS, _RATES = Input.SENDS.value, Input.RATES.value
_UNKNOWN_PERSON = Person()


def present_in(message: CustomerMessage, facts: Facts) -> int:
    """The inputs that are there, as the value of an `Input`. Those that are compared are not among them.

    A plain number, because this is asked of every message and flags are slow.
    """
    present = _ALWAYS
    if message.metadata:
        present |= _METADATA
    if message.category is not None and message.category in ANSWERS:
        present |= _ANSWER
    if facts.suppressions:
        present |= _SUPPRESSIONS
    if facts.consents:
        present |= _CONSENTS
    if facts.opt_outs:
        present |= _OPT_OUTS
    if facts.person is not _UNKNOWN_PERSON and facts.person != _UNKNOWN_PERSON:
        present |= _PERSON
    if facts.registries:
        present |= _REGISTRIES
    if facts.recent_sends:
        present |= _SENDS
    if facts.rates:
        present |= _RATES
    return present


def header_of(inputs: Input) -> Any:
    """A function from a message to the values that have to be compared for rules with these inputs."""
    names = [name for entry, name in HEADER.items() if entry in inputs]
    return attrgetter(*names) if names else _no_header


def _no_header(message: CustomerMessage) -> None:
    return None


def sways(inputs: Input, present: int) -> bool:
    """Whether any of the inputs is there."""
    return bool((inputs & ~_COMPARED).value & present)
