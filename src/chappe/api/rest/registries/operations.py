"""The operations on registries."""

from __future__ import annotations

from chappe.api.rest.imports import ImportView
from chappe.api.rest.list_layout import COLUMN_PARAMETERS, LAYOUT_PARAMETERS
from chappe.api.rest.operation import (
    CURSOR,
    MOMENT,
    SMALL_BYTES_MAX,
    TEXT,
    TO,
    Operation,
    Parameter,
    limit_parameter,
    one_of_names,
)
from chappe.api.rest.registries import registries
from chappe.api.rest.registries.documents import (
    RegistriesView,
    RegistryHistoryView,
    RegistryLookupView,
    RegistryRequest,
    RegistryVersionView,
    RegistryView,
    VersionRequest,
)
from chappe.records.registries.building import Mode
from chappe.records.registries.building import Operation as Change

_TAG = "Registries"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/registries",
        registries.create_registry,
        "Make a registry of numbers or addresses",
        _TAG,
        {
            201: ("It is made, and has no data yet.", RegistryView),
            200: ("There is one of the same kind and form already.", RegistryView),
        },
        request=RegistryRequest,
        errors=(409, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/registries",
        registries.list_registries,
        "List registries",
        _TAG,
        {200: ("One page.", RegistriesView)},
        parameters=(limit_parameter(), CURSOR),
        errors=(503,),
    ),
    Operation(
        "GET",
        "/v1/registries/{id}",
        registries.get_registry,
        "Look at a registry and its versions",
        _TAG,
        {200: ("The registry.", RegistryHistoryView)},
        errors=(404, 503),
    ),
    Operation(
        "DELETE",
        "/v1/registries/{id}",
        registries.delete_registry,
        "Delete a registry with all its versions",
        _TAG,
        {204: ("It is deleted; rules that ask it learn that it does not know.", None)},
        errors=(404, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "POST",
        "/v1/registries/{id}/import",
        registries.import_registry,
        "Import a list (CSV, plain or gzip) as a new version",
        _TAG,
        {202: ("The list has arrived; ask for the import until it has ended.", ImportView)},
        parameters=(
            Parameter("mode", "All of the list, or what changed.", {**one_of_names(Mode), "default": Mode.FULL.value}),
            Parameter(
                "operation",
                "What to do with the entries of a delta that don't say it.",
                {**one_of_names(Change), "default": Change.ADD.value},
            ),
            Parameter("as_of", "The moment whose state the list shows; by default now.", MOMENT),
            Parameter("source", "Where it was got, for people.", TEXT),
            *LAYOUT_PARAMETERS,
            *COLUMN_PARAMETERS,
        ),
        errors=(404, 503, 507),
        upload=True,
    ),
    Operation(
        "GET",
        "/v1/registries/{id}/imports/{import}",
        registries.get_registry_import,
        "See how an import stands",
        _TAG,
        {200: ("The import.", ImportView)},
        errors=(404,),
    ),
    Operation(
        "POST",
        "/v1/registries/{id}/activate",
        registries.activate_registry_version,
        "Use another version of a registry",
        _TAG,
        {200: ("It is in use.", RegistryVersionView)},
        request=VersionRequest,
        errors=(404, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/registries/{id}/lookup",
        registries.look_up_in_registry,
        "Look one number or address up",
        _TAG,
        {200: ("What the version in use says.", RegistryLookupView)},
        parameters=(TO,),
        errors=(404, 503),
    ),
)
