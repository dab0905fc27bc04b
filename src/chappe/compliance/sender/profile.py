"""What is known of the sender of a message: the particulars that laws want shown, registered or arranged.

One `SenderProfile` is one `[senders.NAME]` table of the configuration. Whatever is not stated counts as unknown, and a
rule that needs it says what to state.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.model.customer import Purpose

Text = Annotated[str, Meta(min_length=1, max_length=500)]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class MeansKind(StrEnum):
    """A way to say that no more messages are wanted."""

    REPLY = "reply"
    """Answer the message with `value`."""
    LINK = "link"
    """Open the address `value`."""
    EMAIL = "email"
    """Write to the address `value`."""
    PHONE = "phone"
    """Call the number `value`."""


class OptOutMeans(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A way to opt out, and what using it asks of a person.

    It suppresses messages of its `purposes`; none means all of them.
    """

    kind: Annotated[MeansKind, Meta(description="`reply`, `link`, `email` or `phone`.")]
    value: Annotated[Text, Meta(description="The word to answer with, the address, or the number.")]
    free: Annotated[bool, Meta(description="Whether it costs the person nothing.")] = True
    login: Annotated[bool, Meta(description="Whether the person must log in.")] = False
    steps: Annotated[int, Meta(ge=1, description="How many pages or answers it takes.")] = 1
    works_days: Annotated[
        int | None, Meta(description="For how many days after a message it works. Without it: for good.")
    ] = None
    purposes: Annotated[tuple[Purpose, ...], Meta(description="What it stops. Without it: every message.")] = ()


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A registered text. `{#var#}` in `text` stands for what varies from message to message."""

    id: Annotated[Text, Meta(description="The id under which the text is registered, as in a message's `template`.")]
    text: Annotated[str, Meta(min_length=1, max_length=2_000, description="The text, with `{#var#}` where it varies.")]


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An entry in a register of senders.

    `id` is the number or name that messages come from under it; without one it stands for all of the sender's. Without
    `purposes` it is for every purpose.
    """

    register: Annotated[Text, Meta(description="The register, such as `TCR` or `DLT`.")]
    country: Annotated[Country, Meta(description="Where it counts, such as `US` or `US-TX`.")]
    id: Annotated[Text | None, Meta(description="The number or name registered.")] = None
    purposes: Annotated[tuple[Purpose, ...], Meta(description="What it may be used for.")] = ()
    operators: Annotated[tuple[Text, ...], Meta(description="The operators with whom it is registered.")] = ()
    particulars: Annotated[
        dict[str, Text], Meta(description="What the register issued: `brand`, `campaign`, `pe_id`, `uen` and so on.")
    ] = {}
    templates: Annotated[tuple[Template, ...], Meta(description="The texts registered (`id`, `text`).")] = ()
    allowed_links: Annotated[
        tuple[Text, ...], Meta(description="Hosts, paths and numbers that may stand in messages.")
    ] = ()
    since: Annotated[datetime.date | None, Meta(description="From this day.")] = None
    until: Annotated[datetime.date | None, Meta(description="Until before this day.")] = None


AddressKind = Annotated[str, Meta(pattern="^(street|registered_po_box|registered_private_mailbox|other)$")]


class SenderProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Who sends; what is not given counts as unknown. Particulars are written as recipients are to read them."""

    name: Annotated[Text | None, Meta(description="The name that recipients know.")] = None
    legal_name: Annotated[Text | None, Meta(description="The name of the company behind it. Without it `name`.")] = None
    business_number: Annotated[
        Text | None, Meta(description="Its number in a register of companies, as it is shown: `ABN 12 345 678 901`.")
    ] = None
    postal_address: Annotated[Text | None, Meta(description="Postal address, in one line.")] = None
    postal_address_kind: Annotated[
        AddressKind,
        Meta(description="`street`, `registered_po_box`, `registered_private_mailbox` or `other`."),
    ] = "street"
    phone: Annotated[Text | None, Meta(description="Telephone number, as it is shown.")] = None
    email: Annotated[Text | None, Meta(description="E-mail address for questions and complaints.")] = None
    website: Annotated[Text | None, Meta(description="Website, as it is shown.")] = None
    imprint: Annotated[
        Text | None, Meta(description="Address of a page that shows all these particulars, for messages with no room.")
    ] = None
    valid_until: Annotated[
        datetime.date | None, Meta(description="The day on which these particulars cease to hold, if one is known.")
    ] = None
    country: Annotated[Country | None, Meta(description="Where the sender is established.")] = None

    email_from: Annotated[Text | None, Meta(description="`from` of e-mail that names none.")] = None
    sms_from: Annotated[Text | None, Meta(description="`from` of text messages that name none.")] = None
    voice_from: Annotated[Text | None, Meta(description="`from` of calls that name none.")] = None
    also_from: Annotated[
        tuple[Text, ...],
        Meta(
            description="What else its messages come from: mail addresses, mail domains, numbers, names. A message "
            "whose `from` is among all these has this profile; any other has the one called `default`."
        ),
    ] = ()
    inbound: Annotated[
        bool | None,
        Meta(description="Whether replies to its texts reach it. Without it: where the sender is a number."),
    ] = None
    unsubscribe: Annotated[
        tuple[OptOutMeans, ...],
        Meta(description="How recipients opt out, the preferred way first, besides the links that the server makes."),
    ] = ()
    languages: Annotated[
        tuple[Annotated[str, Meta(pattern="^[a-z]{2,3}$")], ...],
        Meta(description="Languages of its messages, for those that do not name theirs; the first is the usual one."),
    ] = ()

    registrations: Annotated[tuple[Registration, ...], Meta(description="Its entries in registers of senders.")] = ()
    exemptions: Annotated[
        tuple[Text, ...],
        Meta(description="Why it need not register: `public_company`, `financial_institution`, `nonprofit` and so on."),
    ] = ()
    mail_authentication: Annotated[
        tuple[Text, ...], Meta(description="What its mail domains have: `spf`, `dkim`, `dmarc_aligned`.")
    ] = ()
    messages_per_day: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="How many messages it sends on a busy day, for rules about bulk senders."),
    ] = None
    sectors: Annotated[
        tuple[Text, ...], Meta(description="Its trades, as rules call them: `healthcare`, `finance` and so on.")
    ] = ()

    data_region: Annotated[Country | None, Meta(description="The country of the server's data folder and backups.")] = (
        None
    )
    provider_regions: Annotated[
        tuple[Country, ...], Meta(description="The countries in which its providers handle what they are given.")
    ] = ()
    safeguards: Annotated[
        tuple[Text, ...],
        Meta(description="What allows data to leave a region: `scc`, `bcr`, `security_assessment` and so on."),
    ] = ()
    agreements: Annotated[
        tuple[Text, ...], Meta(description="Agreements with everyone who handles its data: `baa` and so on.")
    ] = ()
    large_handler_in: Annotated[
        tuple[Country, ...], Meta(description="Where it is a large handler of personal data by local law.")
    ] = ()
    retention_days: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="For how long it keeps personal data by its own policy.")
    ] = None

    @property
    def business_name(self) -> str | None:
        """The name of whoever answers for the message."""
        return self.legal_name or self.name

    @property
    def identities(self) -> tuple[str, ...]:
        """Everything its messages may come from, as stated."""
        usual = (self.email_from, self.sms_from, self.voice_from)
        registered = (entry.id for entry in self.registrations)
        return tuple(entry for entry in (*usual, *self.also_from, *registered) if entry)
