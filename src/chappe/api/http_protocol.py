"""Reading from one connection: HTTP/1.1 is parsed, AWS requests are answered here, all others go to ASGI.

Going through ASGI costs more than the work of most AWS requests, so they do not. Everything a client can make
the server hold is bounded (`HttpLimits`). The times are watched from outside (`server.RunningServer`), so
that a request which arrives in one piece sets no timer.
"""

from __future__ import annotations

from typing import Any

import httptools
import structlog
from uvicorn.config import Config
from uvicorn.server import ServerState

from chappe.api.aws_messages import AwsRequest
from chappe.api.connection import CONTINUE, Connection, Shared, response_bytes
from chappe.api.open_mode import objection
from chappe.api.refusals import TOO_MANY_CONNECTIONS, Refusal
from chappe.api.uploads import is_upload

_log = structlog.get_logger("chappe.http")
CHUNKING_RATIO = 8
"""How many bytes a chunked body may take beside each of its own: chunks of one byte take five."""
_DISCARD_BYTES = 64 * 1_048_576


class ChappeProtocol(Connection):
    """Reads requests and sees to it that each goes where it belongs."""

    def __init__(self, config: Config, server_state: ServerState, shared: Shared) -> None:
        super().__init__(config, server_state, shared)
        self._fields: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._body_bytes = 0
        self._for_aws = False
        self._declined_upgrade = False
        self._head_bytes = 0
        self._read_bytes = 0
        self._arrived_bytes = 0  # since the read in which the last head ended: no head can be larger
        self._chunking_bytes = 0
        self._discarded_bytes = 0

    # --- the transport ------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._account_body(0)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > _DISCARD_BYTES:
                self.transport.abort()
            return
        was_in_head, headers, body_bytes = self._in_head, self.headers, self._body_bytes
        self._read_bytes = len(data)
        self._arrived_bytes += self._read_bytes
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, httptools.HttpParserError | UnicodeDecodeError):
                _log.error("connection_failed", exc_info=cause)
            self._refuse(Refusal(400, "bad_request", "The request could not be understood."))
        except httptools.HttpParserError as error:
            self._refuse(Refusal(400, "bad_request", f"This is not HTTP: {error}."))
        if self._receiving and self._request_since is None:
            self._request_since = self.loop.time()
        if self._receiving and headers is self.headers:
            self._check_overhead(len(data), was_in_head=was_in_head, in_body_bytes=self._body_bytes - body_bytes)

    def _check_overhead(self, data_bytes: int, *, was_in_head: bool, in_body_bytes: int) -> None:
        """Bound what comes beside the body: the head, and in a chunked body the sizes, extensions and trailers."""
        limit = self._limits.head_bytes
        if was_in_head and self._in_head:
            self._head_bytes += data_bytes
            if self._head_bytes > limit:
                self._refuse_head()
        elif not was_in_head:
            self._chunking_bytes += data_bytes - in_body_bytes
            if self._chunking_bytes > limit + CHUNKING_RATIO * self._body_bytes:
                self._refuse(
                    Refusal(400, "bad_request", f"The chunks of the body carry more than {limit} bytes beside it.")
                )

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if not self._declined_upgrade:
                    self.handle_websocket_upgrade()
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """The head of this request again, without the offer we decline.

        The parser takes what follows an `Upgrade` for another protocol. Some clients (that of the JDK by
        default) offer h2c with every request and send its body as usual, so it is read again as if there had
        been no offer.
        """
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join((*lines, b"", b""))

    # --- the parser ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._for_aws = False
        self._declined_upgrade = False
        self._uploading = False
        self._body = b""
        self._body_bytes = 0
        self._receiving = self._in_head = True
        self._head_bytes = self._chunking_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers are passed over
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._refused:
            return
        if self.parser.should_upgrade() and not self._should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._refuse(Refusal(405, "method_not_allowed", "This is no proxy."))
            self._declined_upgrade = True
            return
        if len(self.headers) > self._limits.headers:
            self._refuse(
                Refusal(431, "head_too_large", f"The request has more than {self._limits.headers} header fields.")
            )
            return
        if self._arrived_bytes > self._limits.head_bytes and self._size_of_head() > self._limits.head_bytes:
            self._refuse_head()
            return
        self._arrived_bytes = self._read_bytes
        fields = self._fields = dict(self.headers)
        if b"host" not in fields and self.parser.get_http_version() == "1.1":
            self._refuse(Refusal(400, "bad_request", "The request has no Host (RFC 9112, 3.2)."))
            return
        for_aws = b"x-amz-target" in fields or self._shared.aws.speaks(
            self.parser.get_method(), *self._path_and_query(), fields
        )
        if self._shared.open_mode and (why := objection(fields, for_aws=for_aws)) is not None:
            self._refuse(Refusal(403, "web_page_refused", why))
        elif for_aws:
            self._for_aws = True
            self._begin_aws(fields)
        else:
            self._begin_asgi(fields)

    def on_body(self, body: bytes) -> None:
        if self._refused:
            return
        if not self._for_aws:
            self._body_bytes += len(body)
            limit = self._rest_limit()
            if self._body_bytes > limit:
                self._refuse(Refusal(413, "body_too_large", f"The body exceeds {limit} bytes."))
                return
            super().on_body(body)
            return
        self._account_body(self._body_bytes + len(body))
        if self._body_bytes > self._limits.aws_body_bytes:
            self._refuse_too_large()
        elif self._shared.incomplete_bodies_bytes > self._limits.incomplete_bodies_bytes:
            self._refuse(Refusal(503, "too_much_at_once", "The server is receiving too much at once. Try again."))
        elif not self._body:
            self._body = body
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += body

    def on_message_complete(self) -> None:
        self._receiving = False
        self._request_since = None
        if self._refused or self._declined_upgrade:
            return
        if not self._for_aws:
            super().on_message_complete()
            return
        self._account_body(0)
        path, query = self._path_and_query()
        request = AwsRequest(
            self.parser.get_method(),
            path,
            query,
            self.headers,
            self._fields,
            bytes(self._body),
            keep_alive=self.parser.should_keep_alive() and self.parser.get_http_version() == "1.1",
        )
        self._body = b""
        self._take_turn(request)

    def _size_of_head(self) -> int:
        """About as many bytes as the client sent, without the optional white space."""
        return len(self.url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def _path_and_query(self) -> tuple[bytes, bytes]:
        if self.url == b"/":
            return b"/", b""
        url = httptools.parse_url(self.url)
        return url.path or b"/", url.query or b""

    def _begin_aws(self, fields: dict[bytes, bytes]) -> None:
        stated = fields.get(b"content-length")
        if stated is not None and int(stated) > self._limits.aws_body_bytes:
            self._refuse_too_large()
        elif fields.get(b"expect", b"").lower() == b"100-continue":
            if self._busy():
                self._owes_continue = True
            else:
                self.transport.write(CONTINUE)

    def _begin_asgi(self, fields: dict[bytes, bytes]) -> None:
        """Let uvicorn begin the request as if it had seen the head itself."""
        stated = fields.get(b"content-length")
        self._uploading = is_upload(self.parser.get_method(), self._path_and_query()[0])
        limit = self._rest_limit()
        if stated is not None and int(stated) > limit:
            self._refuse(Refusal(413, "body_too_large", f"The body exceeds {limit} bytes."))
            return
        url, headers = self.url, self.headers
        if not url.startswith(b"/"):
            path, query = self._path_and_query()
            url = path + b"?" + query if query else path
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = fields.get(b"expect", b"").lower() == b"100-continue"
        super().on_headers_complete()

    def _rest_limit(self) -> int:
        return self._limits.upload_body_bytes if self._uploading else self._limits.rest_body_bytes

    def _account_body(self, body_bytes: int) -> None:
        if self._for_aws:
            self._shared.incomplete_bodies_bytes += body_bytes - self._body_bytes
            self._body_bytes = body_bytes

    def _refuse_head(self) -> None:
        limit = self._limits.head_bytes
        self._refuse(Refusal(431, "head_too_large", f"The request head exceeds {limit} bytes."))

    def _refuse_too_large(self) -> None:
        response = self._shared.aws.too_large(self._fields, self._limits.aws_body_bytes)
        self._refuse(response_bytes(response, self._shared.date_line, keep_alive=False))

    def _refuse(self, why: Refusal | bytes) -> None:
        self._account_body(0)
        self._body = b""
        super()._refuse(why)
