"""Why credentials were refused. How each looks in an AWS answer is decided in api/."""

from __future__ import annotations

from chappe.model.errors import Unauthenticated


class MissingAuthenticationToken(Unauthenticated):
    """The request carries no credentials."""

    code = "missing_authentication_token"


class IncompleteSignature(Unauthenticated):
    """The credentials lack a part or have one in the wrong form."""

    code = "incomplete_signature"


class InvalidSignature(Unauthenticated):
    """The signature is not the one this request and this key give, or it is too old or too new."""

    code = "invalid_signature"


class UnknownAccessKey(Unauthenticated):
    """No such access key, or a session token that was not issued here."""

    code = "unknown_access_key"


class InvalidApiKey(Unauthenticated):
    """The bearer token is no API key of this server."""

    code = "invalid_api_key"
