"""The operations behind unsubscribe links. They are public: the token in the link is the credential."""

from __future__ import annotations

from chappe.api.rest.operation import (
    SMALL_BYTES_MAX,
    Operation,
)
from chappe.api.rest.unsubscribing import page

_TAG = "Unsubscribing"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/v1/unsubscribe/{token}",
        page.ask,
        "The page behind an unsubscribe link",
        _TAG,
        {200: ("A page with a button. Nothing has happened yet.", None), 404: ("The link is not valid.", None)},
        public=True,
        media_type="text/html",
    ),
    Operation(
        "POST",
        "/v1/unsubscribe/{token}",
        page.unsubscribe,
        "Unsubscribe by one click (RFC 8058)",
        _TAG,
        {
            200: ("Promotional messages to this address on this channel are suppressed.", None),
            404: ("The link is not valid.", None),
        },
        errors=(413, 503, 507),
        body_bytes_max=SMALL_BYTES_MAX,
        public=True,
        media_type="text/html",
    ),
)
