"""One-click unsubscription (RFC 8058).

A mail program POSTs `List-Unsubscribe=One-Click` to the link of the message's header, without cookies or credentials,
and that unsubscribes. A person who opens the link gets a page with a button, because programs that only look at links
(scanners, previews) must not unsubscribe anybody.
"""

from __future__ import annotations

from html import escape

from chappe.api.rest.answers import Answer
from chappe.api.rest.call import Call
from chappe.model.errors import MessageNotFound

_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.25rem; cursor: pointer }}
</style>
<h1>{title}</h1>
{content}
</html>
"""


async def ask(call: Call) -> Answer:
    """GET /v1/unsubscribe/{token}"""
    if call.server.pipeline.context.links.key_of(call.path["token"]) is None:
        return _INVALID
    return _ASK


async def unsubscribe(call: Call) -> Answer:
    """POST /v1/unsubscribe/{token}"""
    try:
        await call.server.pipeline.inbound.unsubscribe(call.path["token"])
    except MessageNotFound:
        return _INVALID
    return _DONE


def _page(status: int, title: str, content: str) -> Answer:
    return Answer(status, _PAGE.format(title=escape(title), content=content).encode(), _HEADERS)


_ASK = _page(
    200,
    "Unsubscribe?",
    "<p>You will get no more promotional messages at this address from this sender.</p>\n"
    '<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>',
)
_DONE = _page(
    200,
    "You are unsubscribed",
    "<p>No more promotional messages will be sent to this address. Messages about your own orders and accounts are not "
    "affected.</p>",
)
_INVALID = _page(
    404,
    "This link does not work",
    "<p>It may have been cut off. Copy the whole link from the message and try again.</p>",
)
