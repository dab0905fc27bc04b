"""The operations on people."""

from __future__ import annotations

from chappe.api.rest import profiles
from chappe.api.rest.lists import LAYOUT, STANDS, get_people_import, import_people
from chappe.api.rest.operation import CURSOR, SMALL_BYTES_MAX, TEXT, TO, Operation, Parameter, limit_parameter
from chappe.api.rest.person_documents import PeopleView, PersonPatch, PersonRequest, PersonView
from chappe.api.rest.registry_views import ImportView

_TAG = "People"

PROFILE_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "PUT",
        "/v1/people/{id}",
        profiles.put_person,
        "Store a person: addresses, where they live, what is known of them, what they chose",
        _TAG,
        {
            201: ("The person is stored.", PersonView),
            200: ("The person takes the place of the one before.", PersonView),
        },
        request=PersonRequest,
        errors=(400, 409, 413, 415, 422, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "PATCH",
        "/v1/people/{id}",
        profiles.patch_person,
        "Change what is stored of a person (RFC 7396)",
        _TAG,
        {200: ("The person as changed.", PersonView)},
        request=PersonPatch,
        errors=(400, 404, 409, 413, 415, 422, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
    ),
    Operation(
        "GET",
        "/v1/people/{id}",
        profiles.get_person,
        "Look at a person, by your id or by an address such as `email:ana@example.com`",
        _TAG,
        {200: ("The person.", PersonView)},
        errors=(404, 422, 503),
    ),
    Operation(
        "GET",
        "/v1/people",
        profiles.list_people,
        "List people, newest first",
        _TAG,
        {200: ("One page.", PeopleView)},
        parameters=(Parameter("address", TO.description, TEXT), limit_parameter(), CURSOR),
        errors=(400, 503),
    ),
    Operation(
        "DELETE",
        "/v1/people/{id}",
        profiles.remove_person,
        "Forget a profile; consents, suppressions and messages stay (see erase)",
        _TAG,
        {204: ("The profile is gone.", None)},
        errors=(404, 503, 507),
    ),
    Operation(
        "POST",
        "/v1/people:import",
        import_people,
        "Store every person of a list (CSV, plain or gzip)",
        _TAG,
        {202: ("The list has arrived; ask for the import until it has ended.", ImportView)},
        parameters=LAYOUT,
        errors=(400, 413, 415, 422, 503, 507),
        upload=True,
    ),
    Operation(
        "GET",
        "/v1/people/imports/{id}",
        get_people_import,
        "See how an import of people stands",
        _TAG,
        {200: (STANDS, ImportView)},
        errors=(404,),
    ),
)
