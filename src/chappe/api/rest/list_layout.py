"""The query parameters that say how a list is written, and reading them."""

from __future__ import annotations

from collections.abc import Mapping

from chappe.api.rest.errors import InvalidParameter
from chappe.api.rest.operation import TEXT, Parameter, one_of_names
from chappe.api.rest.query import flag_of, one_of
from chappe.records.registries.building import Encoding, ListLayout
from chappe.records.registries.columns import Columns
from chappe.records.registries.layout import Digest

ALLOWED_BAD_MAX = 1_000_000_000
_COLUMN = "The column that holds {what}: its name, or its position from 1 on."
_DELIMITER: dict[str, object] = {**TEXT, "pattern": "^([^\r\n\"']|tab)$", "default": ","}
_BOOLEAN: dict[str, object] = {"type": "boolean", "default": True}

LAYOUT_PARAMETERS = (
    Parameter("header", "Whether the first line names the columns.", _BOOLEAN),
    Parameter("delimiter", "What separates the cells; `tab` for a tabulator.", _DELIMITER),
    Parameter("encoding", "How the text is encoded.", {**one_of_names(Encoding), "default": Encoding.UTF_8.value}),
    Parameter(
        "allow_bad",
        "How many bad lines to pass over; with more, nothing is imported.",
        {"type": "integer", "minimum": 0, "maximum": ALLOWED_BAD_MAX, "default": 0},
    ),
)

COLUMN_PARAMETERS = (
    Parameter(
        "address",
        _COLUMN.format(what="the number or address") + " Joined with `+` for several, such as area code and number. By "
        "default one with a usual name, or the only one.",
        TEXT,
    ),
    Parameter("category", _COLUMN.format(what="the registry's own category"), TEXT),
    Parameter("since", _COLUMN.format(what="when the entry was made"), TEXT),
    Parameter("until", _COLUMN.format(what="when the entry ends"), TEXT),
    Parameter("operation_column", _COLUMN.format(what="add or remove, in a delta"), TEXT),
    Parameter("date_format", "How dates are written, as for strptime; by default ISO 8601.", TEXT),
    Parameter(
        "region",
        "Where numbers without a country code are dialled (ISO 3166), for example US. By default the country of the "
        "registry's jurisdiction; where that is not one country, numbers begin with the country code.",
        TEXT,
    ),
    Parameter(
        "digest",
        "The list holds hexadecimal digests instead of addresses: of numbers in E.164 with or without `+` or as "
        "dialled within the region, and of mail addresses in lower case. The registry's form must be mixed or "
        "addresses.",
        one_of_names(Digest),
    ),
)


def layout_of(query: Mapping[str, str]) -> ListLayout:
    """How the list is written. Raises `InvalidParameter`."""
    delimiter = query.get("delimiter", ",")
    if delimiter in ("tab", "\\t"):
        delimiter = "\t"
    if len(delimiter) != 1 or delimiter in "\r\n\"'":
        raise InvalidParameter("delimiter must be one character, no quote and no end of line.", parameter="delimiter")
    return ListLayout(
        columns=Columns(
            address=query.get("address"),
            category=query.get("category"),
            since=query.get("since"),
            until=query.get("until"),
            operation=query.get("operation_column"),
            date_format=query.get("date_format"),
            region=query.get("region"),
            digest=one_of(Digest, query, "digest"),
        ),
        header=flag_of(query, "header", default=True),
        delimiter=delimiter,
        encoding=one_of(Encoding, query, "encoding") or Encoding.UTF_8,
    )


def allowed_bad_of(query: Mapping[str, str]) -> int:
    """How many bad lines are passed over. Raises `InvalidParameter`."""
    given = query.get("allow_bad", "0")
    if not (given.isascii() and given.isdigit() and len(given) <= 10 and int(given) <= ALLOWED_BAD_MAX):
        raise InvalidParameter(f"allow_bad must be 0 to {ALLOWED_BAD_MAX}.", parameter="allow_bad")
    return int(given)
