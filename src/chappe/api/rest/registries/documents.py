"""The documents of registries, in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.model.registry import RegistryKind
from chappe.records.registries.building import Mode
from chappe.records.registries.layout import Form


class RegistryRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registry to keep. Its id is made from its name: lower case, words joined by hyphens."""

    name: Annotated[
        str, Meta(min_length=1, max_length=100, description="As rules name it, for example `US National DNC`.")
    ]
    kind: Annotated[RegistryKind, Meta(description="What it means to be listed.")] = RegistryKind.DO_NOT_CALL
    form: Annotated[Form, Meta(description="What it lists.")] = Form.NUMBERS
    jurisdiction: Annotated[
        str, Meta(pattern=r"^(\*|[A-Z]{2}(-[A-Z0-9]{1,3})?)$", description='ISO 3166 code; "*" is the whole world.')
    ] = "*"


class VersionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version to use."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class RegistryVersionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One import. `as_of` is the moment whose state it shows; `kept` tells whether it can be returned to."""

    version: int
    mode: Mode
    imported_at: datetime
    activated_at: datetime
    as_of: datetime
    listings: int
    lines: int
    bad_lines: int
    added: int
    removed: int
    absent: int
    file_bytes: int
    source: str
    source_sha256: str
    author: Annotated[str, Meta(description="Id of the API key that imported it.")]
    kept: bool
    base: Annotated[int | None, Meta(description="The version that a delta changed.")] = None


class RegistryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registry; `active` is the version in use, absent before the first import."""

    id: str
    name: str
    kind: RegistryKind
    form: Form
    jurisdiction: str
    created_at: datetime
    active: RegistryVersionView | None = None


class RegistryHistoryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registry and all its versions, newest first."""

    id: str
    name: str
    kind: RegistryKind
    form: Form
    jurisdiction: str
    created_at: datetime
    versions: list[RegistryVersionView]
    active_version: int | None = None


class RegistriesView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page, in order of id. Without `next_cursor` it is the last."""

    registries: list[RegistryView]
    next_cursor: str | None = None


class ListingView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry for the address, as far as the registry says."""

    category: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class RegistryLookupView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a registry says of an address. `listed` is null if it has no data for such."""

    registry: str
    listed: bool | None
    listings: list[ListingView]
    as_of: datetime | None = None
    age_days: Annotated[float | None, Meta(description="How old the copy in use is.")] = None
