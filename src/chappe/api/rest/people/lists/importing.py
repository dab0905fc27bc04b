"""Importing lists of consents, of suppressions and of people."""

from __future__ import annotations

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.call import Call
from chappe.api.rest.imports import import_view
from chappe.api.rest.list_layout import allowed_bad_of, layout_of
from chappe.api.rest.query import moment_in
from chappe.records.lists.store import CheckedImport

_CONSENT_CHECKER = "chappe.api.rest.people.lists.consents"
_SUPPRESSION_CHECKER = "chappe.api.rest.people.lists.suppressions"
_PERSON_CHECKER = "chappe.api.rest.people.lists.people"


async def import_suppressions(call: Call) -> Answer:
    """POST /v1/suppressions:import"""
    return await _import(call, "suppressions", _SUPPRESSION_CHECKER, ("reason",))


async def import_consents(call: Call) -> Answer:
    """POST /v1/consents:import"""
    return await _import(call, "consents", _CONSENT_CHECKER, ("source", "recorded_at"))


async def import_people(call: Call) -> Answer:
    """POST /v1/people:import"""
    return await _import(call, "people", _PERSON_CHECKER, ())


async def get_people_import(call: Call) -> Answer:
    """GET /v1/people/imports/{id}"""
    return json_answer(200, import_view(call.server.records.lists.get_import("people", call.path["id"])))


async def get_suppressions_import(call: Call) -> Answer:
    """GET /v1/suppressions/imports/{id}"""
    return json_answer(200, import_view(call.server.records.lists.get_import("suppressions", call.path["id"])))


async def get_consents_import(call: Call) -> Answer:
    """GET /v1/consents/imports/{id}"""
    return json_answer(200, import_view(call.server.records.lists.get_import("consents", call.path["id"])))


async def _import(call: Call, kind: str, checker: str, defaults: tuple[str, ...]) -> Answer:
    moment_in(call.query, "recorded_at")  # A wrong one would be told of every line.
    how = CheckedImport(
        checker=checker,
        layout=layout_of(call.query),
        allowed_bad=allowed_bad_of(call.query),
        defaults={name: call.query[name] for name in defaults if name in call.query},
    )
    return json_answer(202, import_view(await call.server.records.lists.start_import(kind, how, call.upload)))
