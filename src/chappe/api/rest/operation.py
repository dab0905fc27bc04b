"""What a row of the table of operations is, and the parameters that many rows share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chappe.api.rest.call import Handler
from chappe.api.rest.paging import LIMIT_DEFAULT, LIMIT_MAX

MESSAGE_BYTES_MAX = 1_048_576
BATCH_BYTES_MAX = 16 * 1_048_576
SMALL_BYTES_MAX = 65_536
_BODY_ERRORS = (400, 413, 415, 422)
_PARAMETER_ERRORS = (400,)


@dataclass(frozen=True)
class Parameter:
    """A query parameter. `schema` is a JSON schema."""

    name: str
    description: str
    schema: dict[str, object]


@dataclass(frozen=True)
class Operation:
    """`request` and `responses` are documents; a response of None has no JSON. `path` has its parameters in braces.

    `errors` are the statuses of its own; what a body or a parameter can be refused with follows from having one.
    One that is `public_locally` asks for no key where only this machine reaches the server.
    With `body_optional` a request may come without one. The body of an `upload` is a list in CSV, handed on as it
    arrives; its path ends as `api.uploads` says.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    responses: dict[int, tuple[str, type | None]]
    request: type | None = None
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    body_bytes_max: int = 0
    idempotent: bool = False
    public: bool = False
    public_locally: bool = False
    upload: bool = False
    body_optional: bool = False
    media_type: str = "application/json"

    @property
    def all_errors(self) -> tuple[int, ...]:
        """Every status that it can be refused with, besides 401 and 500."""
        of_body = _BODY_ERRORS if self.request is not None or self.upload else ()
        of_parameters = _PARAMETER_ERRORS if self.parameters else ()
        return tuple(sorted({*self.errors, *of_body, *of_parameters}))


def limit_parameter(most: int = LIMIT_MAX, default: int = LIMIT_DEFAULT) -> Parameter:
    """How many entries a page may have."""
    schema: dict[str, object] = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "The most entries of the page.", schema)


TEXT: dict[str, object] = {"type": "string"}
MOMENT: dict[str, object] = {"type": "string", "format": "date-time"}
_SOME_TEXT: dict[str, object] = {"type": "string", "minLength": 1}
CURSOR = Parameter("cursor", "`next_cursor` of the page before.", _SOME_TEXT)
TO = Parameter(
    "to",
    "An address: `ana@example.com`, `+4915112345678`, `https://example.com/hook`, or `user:ana`.",
    _SOME_TEXT,
)


def one_of_names(names: type[StrEnum]) -> dict[str, object]:
    """The schema of a parameter that names a member of an enumeration."""
    return {"type": "string", "enum": [str(name) for name in names]}
