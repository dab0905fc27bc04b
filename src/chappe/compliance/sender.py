"""What is known of the sender of a message: the particulars that laws want shown or registered."""

from __future__ import annotations

import msgspec


class SenderProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who sends; None means that it is not stated. The addresses are as shown to recipients."""

    name: str | None = None
    legal_name: str | None = None
    postal_address: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None
