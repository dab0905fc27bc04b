"""Importing lists of consents, of suppressions and of people."""

from __future__ import annotations

from chappe.api.rest.answers import Answer, json_answer
from chappe.api.rest.call import Call
from chappe.api.rest.list_parameters import LAYOUT_PARAMETERS, allowed_bad_of, layout_of
from chappe.api.rest.operation import MOMENT, TEXT, Operation, Parameter
from chappe.api.rest.registries import import_view
from chappe.api.rest.registry_views import ImportView
from chappe.records.lists.store import CheckedImport

_CONSENT_CHECKER = "chappe.api.rest.consent_list"
_SUPPRESSION_CHECKER = "chappe.api.rest.suppression_list"
_PERSON_CHECKER = "chappe.api.rest.person_list"
LAYOUT = tuple(parameter for parameter in LAYOUT_PARAMETERS if parameter.name != "header")
STANDS = "The import. When it is done, every good line was stored or was there already."


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
    how = CheckedImport(
        checker=checker,
        layout=layout_of(call.query),
        allowed_bad=allowed_bad_of(call.query),
        defaults={name: call.query[name] for name in defaults if name in call.query},
    )
    return json_answer(202, import_view(await call.server.records.lists.start_import(kind, how, call.upload)))


LIST_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/suppressions:import",
        import_suppressions,
        "Suppress every address of a list (CSV, plain or gzip)",
        "People",
        {202: ("The list has arrived; ask for the import until it has ended.", ImportView)},
        parameters=(Parameter("reason", "Why, for lines that don't say it.", TEXT), *LAYOUT),
        errors=(400, 413, 415, 422, 503, 507),
        upload=True,
    ),
    Operation(
        "GET",
        "/v1/suppressions/imports/{id}",
        get_suppressions_import,
        "See how an import of suppressions stands",
        "People",
        {200: (STANDS, ImportView)},
        errors=(404,),
    ),
    Operation(
        "POST",
        "/v1/consents:import",
        import_consents,
        "Record every consent of a list (CSV, plain or gzip)",
        "People",
        {202: ("The list has arrived; ask for the import until it has ended.", ImportView)},
        parameters=(
            Parameter("source", "Where they were given, for lines that don't say it.", TEXT),
            Parameter("recorded_at", "When they were given, for lines that don't say it.", MOMENT),
            *LAYOUT,
        ),
        errors=(400, 413, 415, 422, 503, 507),
        upload=True,
    ),
    Operation(
        "GET",
        "/v1/consents/imports/{id}",
        get_consents_import,
        "See how an import of consents stands",
        "People",
        {200: (STANDS, ImportView)},
        errors=(404,),
    ),
)
