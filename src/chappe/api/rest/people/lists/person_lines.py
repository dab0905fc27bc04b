"""What a line of a list of people says: the columns are the fields of the request, with the addresses in columns of
their own kind, and one column per wish, such as `email.promotional`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chappe.api.rest.people.lists.lines import converted, truth
from chappe.api.rest.people.person_documents import PERSON_ID, PersonFields, PersonRequest, told_of
from chappe.model.customer import Channel, Purpose
from chappe.records.profiles import PersonLine
from chappe.records.recipients import KINDS

_ID = re.compile(PERSON_ID)
_SEVERAL = ";"
_EVERY_CHANNEL = "any"
_FIELDS = tuple(
    field.name
    for field in msgspec.structs.fields(PersonFields)
    if field.name not in ("preferences", "asked_for_consent")
)
_YES_OR_NO = ("parental_consent", "business", "has_contract", "could_refuse_at_collection", "similar_products")
_WISHES = {
    f"{channel}.{purpose}": (None if channel == _EVERY_CHANNEL else channel, purpose)
    for channel in (_EVERY_CHANNEL, *Channel)
    for purpose in Purpose
}
PERSON_COLUMNS = ("id", *KINDS, *_FIELDS, *_WISHES)


def person_line(cells: dict[str, str], now_ms: int) -> PersonLine:
    """The person that a line stands for. Raises `ValueError` or `InvalidInput`."""
    person = cells.get("id", "")
    if not _ID.fullmatch(person):
        raise ValueError("id is missing or not of the characters A-Z, a-z, 0-9, '.', '_', '~' and '-'")
    document: dict[str, Any] = {
        name: truth(name, cells[name]) if name in _YES_OR_NO else cells[name] for name in _FIELDS if name in cells
    }
    document["addresses"] = [
        {kind: entry.strip()} for kind in KINDS for entry in cells.get(kind, "").split(_SEVERAL) if entry.strip()
    ]
    document["preferences"] = [
        {"allowed": truth(name, cells[name]), "channel": channel, "purpose": purpose}
        for name, (channel, purpose) in _WISHES.items()
        if name in cells
    ]
    to, profile = told_of(converted(document, PersonRequest))
    return PersonLine(person, to, profile, now_ms)
