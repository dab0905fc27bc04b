"""Who a request comes from, as established by its credentials."""

from __future__ import annotations

import msgspec

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


class Principal(msgspec.Struct, frozen=True):
    """The caller of an AWS API.

    `account` (12 digits) owns what the caller creates; `region` and `service` are those the request was
    signed for. `any_account` is set in open mode only, where resources of every account may be used.
    """

    access_key_id: str
    account: str
    region: str
    service: str
    any_account: bool = False


class ApiClient(msgspec.Struct, frozen=True):
    """The caller of the REST API: the API key it showed, by its public id and the name it was given."""

    key_id: str
    name: str
