"""How a consent came about, as it comes in and goes out: moments in RFC 3339, and all else as the rules know it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chappe.compliance.calendar.local_time import AgreedHours
from chappe.compliance.facts.consents import ConsentBasis, ConsentDetails, ConsentMedium, ConsentOrigin
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.request import Moment

_Short = Annotated[str, Meta(min_length=1, max_length=500)]
_Long = Annotated[str, Meta(min_length=1, max_length=20_000)]
_MOMENTS = ("notice", "confirmation_sent", "confirmed", "reconfirmed", "result_told")


class ConsentDetailsDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a consent came about, as far as it was recorded. Rules ask for what their law asks for."""

    basis: Annotated[ConsentBasis | None, Meta(description="What an implied consent is inferred from.")] = None
    given_by: Annotated[ConsentMedium | None, Meta(description="By what it was given.")] = None
    withdrawable_by: Annotated[tuple[ConsentMedium, ...] | None, Meta(description="By what it can be taken back.")] = (
        None
    )
    hours: Annotated[
        Annotated[tuple[AgreedHours, ...], Meta(max_length=50)],
        Meta(description="Hours of the local day in which the person agreed to be contacted."),
    ] = ()
    origin: Annotated[ConsentOrigin | None, Meta(description="From whom you have it.")] = None
    seller: Annotated[_Short | None, Meta(description="Whom the agreement names as the one who will write.")] = None
    form: Annotated[_Short | None, Meta(description="The official form that was used.")] = None
    wording: Annotated[_Long | None, Meta(description="The text that was agreed to.")] = None
    signature: Annotated[_Short | None, Meta(description="What stands for the signature: a name typed, a scan.")] = None
    ip: Annotated[Annotated[str, Meta(max_length=45)] | None, Meta(description="The address it came from.")] = None
    pre_ticked: Annotated[bool | None, Meta(description="Whether the box was ticked beforehand.")] = None
    conditional_on_purchase: Annotated[bool | None, Meta(description="Whether nothing was sold without it.")] = None
    notice_at: Annotated[Moment | None, Meta(description="When the person was told what the data is for.")] = None
    notice_language: Annotated[_Short | None, Meta(description="In which language (BCP 47).")] = None
    confirmation_sent_at: Annotated[Moment | None, Meta(description="When a double opt-in was asked for.")] = None
    confirmed_at: Annotated[Moment | None, Meta(description="When it was answered.")] = None
    reconfirmed_at: Annotated[Moment | None, Meta(description="When the person last said that it still holds.")] = None
    result_told_at: Annotated[Moment | None, Meta(description="When the person was told that it is recorded.")] = None


DETAIL_COLUMNS = tuple(
    field.name for field in msgspec.structs.fields(ConsentDetailsDocument) if field.name not in ("hours",)
)
"""The columns of a list of consents that tell how each came about."""


def stored_details(document: ConsentDetailsDocument | None, now_ms: int) -> str | None:
    """The details as the records keep them. Raises `InvalidInput`."""
    if document is None or document == ConsentDetailsDocument():
        return None
    told: dict[str, Any] = {
        name: getattr(document, name) for name in document.__struct_fields__ if not name.endswith("_at")
    }
    for name in _MOMENTS:
        moment: datetime | None = getattr(document, f"{name}_at")
        if moment is None:
            continue
        at_ms = int(moment.timestamp() * 1000)
        if at_ms > now_ms:
            raise InvalidInput(f"{name}_at lies in the future", pointer=f"/details/{name}_at")
        told[f"{name}_at_ms"] = at_ms
    return msgspec.json.encode(ConsentDetails(**told)).decode()


def details_document(stored: str | None) -> ConsentDetailsDocument | None:
    """Details as shown."""
    if stored is None:
        return None
    details = msgspec.json.decode(stored, type=ConsentDetails)
    told = {name: getattr(details, name) for name in details.__struct_fields__ if not name.endswith("_at_ms")}
    for name in _MOMENTS:
        at_ms: int | None = getattr(details, f"{name}_at_ms")
        told[f"{name}_at"] = None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
    return ConsentDetailsDocument(**told)
