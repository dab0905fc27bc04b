"""People: storing, changing, showing and forgetting what callers say of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from chappe.api.rest.answers import NO_CONTENT, Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.data_subjects.data_requests import about
from chappe.api.rest.paging import cursor_of, limit_of
from chappe.api.rest.people.person_documents import PERSON_ID, PeopleView, PersonRequest, merged, person_view, told_of
from chappe.api.rest.query import address_in
from chappe.model.customer import Recipient
from chappe.model.errors import InvalidInput
from chappe.records import ids
from chappe.records.profiles import PersonRecord, Profile, no_such_person

_decoder = msgspec.json.Decoder(PersonRequest)
_patch_decoder = msgspec.json.Decoder(dict[str, Any])
_ID = re.compile(PERSON_ID)


async def put_person(call: Call) -> Answer:
    """PUT /v1/people/{id}"""
    person = id_to_store(call.path["id"])
    to, profile = told_of(decode(_decoder, call.body))
    stored, new = await call.server.records.profiles.put(person, to, profile, call.server.now_ms())
    return json_answer(201 if new else 200, person_view(stored))


async def patch_person(call: Call) -> Answer:
    """PATCH /v1/people/{id}"""
    person, patch = call.path["id"], decode(_patch_decoder, call.body)

    def changed(found: PersonRecord | None) -> tuple[Sequence[Recipient], Profile]:
        if found is None:
            raise no_such_person(person)
        return told_of(decode(_decoder, msgspec.json.encode(merged(found, patch))))

    stored, _ = await call.server.records.profiles.change(person, changed, call.server.now_ms())
    return json_answer(200, person_view(stored))


async def get_person(call: Call) -> Answer:
    """GET /v1/people/{id}"""
    text, profiles = call.path["id"], call.server.records.profiles
    whom = about(text)
    if whom.to is None:
        return json_answer(200, person_view(await profiles.get(text)))
    owner = await profiles.owner(whom.to)
    if owner is None:
        raise no_such_person(text)
    return json_answer(200, person_view(owner))


async def list_people(call: Call) -> Answer:
    """GET /v1/people"""
    profiles = call.server.records.profiles
    limit = limit_of(call.query)
    to = address_in(call.query, "address")
    if to is not None:
        owner = await profiles.owner(to)
        return json_answer(200, PeopleView([] if owner is None else [person_view(owner)]))
    found = await profiles.page(cursor_of(call.query, ids.PERSON), limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return json_answer(
        200,
        PeopleView([person_view(record) for record in page], ids.key_text(ids.PERSON, page[-1].key) if more else None),
    )


async def remove_person(call: Call) -> Answer:
    """DELETE /v1/people/{id}"""
    await call.server.records.profiles.remove(call.path["id"])
    return NO_CONTENT


def id_to_store(text: str) -> str:
    """An id under which a person can be stored. Raises `InvalidInput`."""
    if not _ID.fullmatch(text) or text in (".", ".."):
        raise InvalidInput("an id has 1 to 128 of the characters A-Z, a-z, 0-9, '.', '_', '~' and '-'", pointer="")
    return text
