"""What a person's consent record holds: grants and withdrawals, how strong each is, and how it came about."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chappe.compliance.calendar.local_time import AgreedHours
from chappe.model.customer import Channel, Purpose

__all__ = ["Consent", "ConsentBasis", "ConsentDetails", "ConsentLevel", "ConsentMedium", "ConsentOrigin"]


class ConsentLevel(StrEnum):
    """How strong a consent is. Each level satisfies every rule that asks for a weaker one."""

    IMPLIED = "implied"
    """Inferred from something else than a yes: a purchase, an inquiry, a published address. See `ConsentBasis`."""
    EXPRESS = "express"
    """The person said yes to this, by an act of their own."""
    DOUBLE_OPT_IN = "double_opt_in"
    """Express, and confirmed from the address itself."""
    WRITTEN = "written"
    """Express, in an agreement that was kept (an electronic form counts), as 47 CFR 64.1200(f)(9) asks."""

    @property
    def rank(self) -> int:
        """0 for the weakest level."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(ConsentLevel)}


class ConsentBasis(StrEnum):
    """What an implied consent is inferred from."""

    PURCHASE = "purchase"
    CONTRACT = "contract"
    INQUIRY = "inquiry"
    RELATIONSHIP = "relationship"
    """A running business or other relationship that is none of the above (an account, a membership)."""
    GAVE_ADDRESS = "gave_address"
    """The person handed the address over to the sender."""
    PUBLISHED_ADDRESS = "published_address"
    """The address is published for such messages, without a word against them."""
    LEGITIMATE_INTEREST = "legitimate_interest"
    """The sender's own interest, weighed against the person's and found to prevail."""
    NOTICE = "notice"
    """The person was told, and did not object."""


class ConsentMedium(StrEnum):
    """By what a consent was given, or can be withdrawn."""

    WEB = "web"
    APP = "app"
    EMAIL = "email"
    SMS = "sms"
    VOICE_CALL = "voice_call"
    PAPER = "paper"
    IN_PERSON = "in_person"
    OS_PUSH_PERMISSION = "os_push_permission"
    """The operating system's own question whether an app may show notifications."""


class ConsentOrigin(StrEnum):
    """From whom the sender has the consent."""

    DIRECT = "direct"
    PURCHASED_LIST = "purchased_list"
    SHARED_CONSENT = "shared_consent"
    AFFILIATE = "affiliate"


class ConsentDetails(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a consent came about, as far as it was recorded; None where it was not.

    `wording` is the text that was agreed to, `form` the name of an official form that was used, `seller` whom the
    agreement names as the one who will write. `signature` is what stands for it (a name typed, the key of a scan), `ip`
    the address it came from. `pre_ticked` and `conditional_on_purchase` say that the box was ticked beforehand, or that
    nothing was sold without it. `notice_at_ms` is when the person was told what the data is for, in `notice_language`
    (BCP 47). `withdrawable_by` are the ways in which it can be taken back.

    `hours` are those in which the person agreed to be contacted, for rules that such a consent lifts.

    A double opt-in was asked for at `confirmation_sent_at_ms` and answered at `confirmed_at_ms`; `reconfirmed_at_ms` is
    when the person last said that it still holds, and `result_told_at_ms` when they were told that it was recorded.
    """

    basis: ConsentBasis | None = None
    given_by: ConsentMedium | None = None
    withdrawable_by: tuple[ConsentMedium, ...] | None = None
    hours: tuple[AgreedHours, ...] = ()
    origin: ConsentOrigin | None = None
    seller: str | None = None
    form: str | None = None
    wording: str | None = None
    signature: str | None = None
    ip: str | None = None
    pre_ticked: bool | None = None
    conditional_on_purchase: bool | None = None
    notice_at_ms: int | None = None
    notice_language: str | None = None
    confirmation_sent_at_ms: int | None = None
    confirmed_at_ms: int | None = None
    reconfirmed_at_ms: int | None = None
    result_told_at_ms: int | None = None


NO_DETAILS = ConsentDetails()


class Consent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a person's append-only consent record: granted, or withdrawn.

    `channel` None means every channel. `proof` is what was kept of the agreement (the form as shown, a signed
    text); `source` is where it was given; `details` are how it came about. Without an explicit `level` a grant counts
    as express (as a double opt-in once it is confirmed), whatever its proof: that an agreement meets the form which a
    law asks for must be said by someone who knows.
    """

    channel: Channel | None
    purpose: Purpose
    granted: bool
    recorded_at_ms: int
    expires_at_ms: int | None = None
    level: ConsentLevel | None = None
    proof: str | None = None
    source: str | None = None
    details: ConsentDetails = NO_DETAILS

    @property
    def strength(self) -> ConsentLevel:
        """The level, stated or by default."""
        if self.level is not None:
            return self.level
        return ConsentLevel.EXPRESS if self.details.confirmed_at_ms is None else ConsentLevel.DOUBLE_OPT_IN
