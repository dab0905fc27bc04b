"""Errors of the HTTP layer itself."""

from __future__ import annotations

from chappe.model.errors import InvalidInput, NotFound


class MalformedJson(InvalidInput):
    """The body is not JSON."""

    code = "malformed_json"


class BodyTooLarge(InvalidInput):
    """The body is larger than this operation takes."""

    code = "body_too_large"


class UnsupportedMediaType(InvalidInput):
    """The body is not declared to be JSON."""

    code = "unsupported_media_type"


class InvalidParameter(InvalidInput):
    """A query parameter or header is unknown or out of range."""

    code = "invalid_parameter"


class NoSuchOperation(NotFound):
    """There is nothing at this path."""

    code = "no_such_operation"


class MethodNotAllowed(InvalidInput):
    """The path exists and does not take this method."""

    code = "method_not_allowed"
