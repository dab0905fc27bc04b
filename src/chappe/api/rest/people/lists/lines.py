"""What a line of a list of consents or suppressions says: the columns are the fields of the request for one entry."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from chappe.api.rest.choices import choices_at
from chappe.api.rest.people.consent_details import DETAIL_COLUMNS
from chappe.api.rest.people.documents import ConsentRequest, SuppressionRequest
from chappe.model.errors import InvalidInput
from chappe.records.recipients import KINDS

CONSENT_COLUMNS = (
    *KINDS, "channel", "purpose", "granted", "level", "proof", "source", "recorded_at", "expires_at", *DETAIL_COLUMNS,
)  # fmt: skip
SUPPRESSION_COLUMNS = (*KINDS, "channel", "purpose", "reason")
YES = frozenset({"true", "yes", "1", "granted", "opt-in"})
NO = frozenset({"false", "no", "0", "withdrawn", "opt-out"})
_Request = TypeVar("_Request")


def consent_request(cells: dict[str, str]) -> ConsentRequest:
    """The request that a line stands for. Raises `ValueError`.

    A line must say when the consent was given or taken back: without that it proves nothing, and the same list could
    not be told from another one.
    """
    if "recorded_at" not in cells:
        raise ValueError("recorded_at is missing: when the consent was given or taken back")
    granted = cells.get("granted", "true").lower()
    if granted not in YES | NO:
        raise ValueError("granted is neither true nor false")
    named = [name for name in CONSENT_COLUMNS if name in cells and name not in (*KINDS, *DETAIL_COLUMNS)]
    document: dict[str, Any] = {name: cells[name] for name in named}
    details = {name: _detail(name, cells[name]) for name in DETAIL_COLUMNS if name in cells}
    if details:
        document["details"] = details
    return converted(document | {"person": _recipient(cells), "granted": granted in YES}, ConsentRequest)


def suppression_request(cells: dict[str, str]) -> SuppressionRequest:
    """The same of a suppression."""
    document: dict[str, Any] = {
        name: cells[name] for name in SUPPRESSION_COLUMNS if name in cells and name not in KINDS
    }
    return converted(document | {"to": _recipient(cells)}, SuppressionRequest)


def truth(name: str, cell: str) -> bool:
    """Yes or no. Raises `ValueError`."""
    said = cell.lower()
    if said not in YES | NO:
        raise ValueError(f"{name} is neither true nor false")
    return said in YES


def _detail(name: str, cell: str) -> object:
    if name in ("pre_ticked", "conditional_on_purchase"):
        return truth(name, cell)
    return [entry.strip() for entry in cell.split(";")] if name == "withdrawable_by" else cell


def told(error: InvalidInput) -> ValueError:
    """What was wrong, without what stood there: an error of a single request repeats the address."""
    column = str(error.details.get("pointer", "")).rpartition("/")[2]
    return ValueError(f"{column} is not valid" if column in (*KINDS, "expires_at", "recorded_at") else error.message)


def _recipient(cells: dict[str, str]) -> dict[str, str]:
    return {kind: cells[kind] for kind in KINDS if kind in cells}


def converted(document: dict[str, Any], kind: type[_Request]) -> _Request:
    """The request of a document. Raises `ValueError`, which repeats no value."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        column = place.strip("`$.")
        raise ValueError(f"{column}: {_reason(what, column, kind)}" if column else what) from None


def _reason(what: str, column: str, kind: type) -> str:
    if what.startswith("Invalid RFC3339"):
        return "is not a moment with its offset, such as 2026-03-01T08:00:00Z"
    if what.startswith(("Object", "Expected")):
        return what
    # What else msgspec says may repeat the value.
    choices = choices_at(kind, "/" + column.replace(".", "/"))
    return f"must be one of: {', '.join(choices)}" if choices else "not one of the known values"
