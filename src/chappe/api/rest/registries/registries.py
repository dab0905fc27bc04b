"""Registries: making, importing, looking up, returning to an older version."""

from __future__ import annotations

import msgspec
import structlog

from chappe.api.rest.answers import NO_CONTENT, Answer, json_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.errors import InvalidParameter
from chappe.api.rest.imports import import_view
from chappe.api.rest.list_layout import allowed_bad_of, layout_of
from chappe.api.rest.paging import limit_of
from chappe.api.rest.places import check_place
from chappe.api.rest.presenting import moment, moment_or_none
from chappe.api.rest.query import address_in, moment_in, one_of
from chappe.api.rest.registries.documents import (
    ListingView,
    RegistriesView,
    RegistryHistoryView,
    RegistryLookupView,
    RegistryRequest,
    RegistryVersionView,
    RegistryView,
    VersionRequest,
)
from chappe.model.errors import InvalidInput
from chappe.model.registry import registry_id
from chappe.records.recipients import recipient_text
from chappe.records.registries.building import Mode, Operation
from chappe.records.registries.registry_records import Registry, RegistryVersion
from chappe.records.registries.store import ListImport

SOURCE_CHARACTERS_MAX = 500
_DAY_MS = 86_400_000
_log = structlog.get_logger("chappe.rest")
_registry_decoder = msgspec.json.Decoder(RegistryRequest)
_version_decoder = msgspec.json.Decoder(VersionRequest)


async def create_registry(call: Call) -> Answer:
    """POST /v1/registries"""
    request = decode(_registry_decoder, call.body)
    check_place(request.jurisdiction, pointer="/jurisdiction")
    name = registry_id(request.name)
    if not name:
        raise InvalidInput("name needs a letter or digit of ASCII: the id is made of them", pointer="/name")
    registry = Registry(name, request.name, request.kind, request.jurisdiction, request.form, call.server.now_ms())
    stored, new = await call.server.records.registries.records.create(registry)
    return json_answer(201 if new else 200, await _view(call, stored))


async def list_registries(call: Call) -> Answer:
    """GET /v1/registries"""
    limit = limit_of(call.query)
    after = call.query.get("cursor", "")
    found = await call.server.records.registries.records.page(after, limit + 1)
    page = [await _view(call, registry) for registry in found[:limit]]
    return json_answer(200, RegistriesView(page, page[-1].id if len(found) > limit else None))


async def get_registry(call: Call) -> Answer:
    """GET /v1/registries/{id}"""
    records = call.server.records.registries.records
    registry = await records.get(call.path["id"])
    versions = [_version_view(version) for version in await records.versions(registry.id)]
    view = RegistryHistoryView(
        id=registry.id,
        name=registry.name,
        kind=registry.kind,
        form=registry.form,
        jurisdiction=registry.jurisdiction,
        created_at=moment(registry.created_at_ms),
        versions=versions,
        active_version=registry.active_version,
    )
    return json_answer(200, view)


async def delete_registry(call: Call) -> Answer:
    """DELETE /v1/registries/{id}"""
    await call.server.records.registries.delete(call.path["id"])
    _log.info("registry_deleted", registry=call.path["id"], client=call.client.key_id)
    return NO_CONTENT


async def activate_registry_version(call: Call) -> Answer:
    """POST /v1/registries/{id}/activate"""
    wanted = decode(_version_decoder, call.body).version
    activated = await call.server.records.registries.activate(call.path["id"], wanted)
    _log.info("registry_activated", registry=call.path["id"], version=wanted, client=call.client.key_id)
    return json_answer(200, _version_view(activated))


async def import_registry(call: Call) -> Answer:
    """POST /v1/registries/{id}/import"""
    registry = await call.server.records.registries.records.get(call.path["id"])
    started = await call.server.records.registries.start_import(registry, _how(call), call.upload)
    return json_answer(202, import_view(started))


async def get_registry_import(call: Call) -> Answer:
    """GET /v1/registries/{id}/imports/{import}"""
    return json_answer(
        200, import_view(call.server.records.registries.get_import(call.path["id"], call.path["import"]))
    )


async def look_up_in_registry(call: Call) -> Answer:
    """GET /v1/registries/{id}/lookup"""
    to = address_in(call.query, "to")
    if to is None:
        raise InvalidParameter("to is missing: the number or address to look up.", parameter="to")
    registries, now_ms = call.server.records.registries, call.server.now_ms()
    registry = await registries.records.get(call.path["id"])
    (answer,) = registries.answers([registry.id], recipient_text(to), now_ms)
    as_of_ms = answer.as_of_ms
    view = RegistryLookupView(
        registry=registry.id,
        listed=answer.listed,
        listings=[
            ListingView(entry.category, moment_or_none(entry.since_ms), moment_or_none(entry.until_ms))
            for entry in answer.listings
        ],
        as_of=moment_or_none(as_of_ms),
        age_days=None if as_of_ms is None else round((now_ms - as_of_ms) / _DAY_MS, 3),
    )
    return json_answer(200, view)


def _how(call: Call) -> ListImport:
    query, now_ms = call.query, call.server.now_ms()
    as_of_ms = moment_in(query, "as_of")
    if as_of_ms is not None and as_of_ms > now_ms:
        raise InvalidParameter("as_of lies in the future.", parameter="as_of")
    source = query.get("source", "")
    if len(source) > SOURCE_CHARACTERS_MAX:
        raise InvalidParameter(f"source has at most {SOURCE_CHARACTERS_MAX} characters.", parameter="source")
    return ListImport(
        mode=one_of(Mode, query, "mode") or Mode.FULL,
        as_of_ms=now_ms if as_of_ms is None else as_of_ms,
        layout=layout_of(query),
        operation=one_of(Operation, query, "operation") or Operation.ADD,
        allowed_bad=allowed_bad_of(query),
        source=source,
        author=call.client.key_id,
    )


async def _view(call: Call, registry: Registry) -> RegistryView:
    records = call.server.records.registries.records
    active = None
    if registry.active_version is not None:
        active = await records.version(registry.id, registry.active_version)
    return RegistryView(
        id=registry.id,
        name=registry.name,
        kind=registry.kind,
        form=registry.form,
        jurisdiction=registry.jurisdiction,
        created_at=moment(registry.created_at_ms),
        active=None if active is None else _version_view(active),
    )


def _version_view(version: RegistryVersion) -> RegistryVersionView:
    return RegistryVersionView(
        version=version.version,
        mode=version.mode,
        imported_at=moment(version.imported_at_ms),
        activated_at=moment(version.activated_at_ms),
        as_of=moment(version.as_of_ms),
        listings=version.listings,
        lines=version.lines,
        bad_lines=version.bad_lines,
        added=version.added,
        removed=version.removed,
        absent=version.absent,
        file_bytes=version.file_bytes,
        source=version.source,
        source_sha256=version.source_sha256,
        author=version.author,
        kept=bool(version.file),
        base=version.base,
    )
