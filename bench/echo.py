"""The rival of the SendMessage figure: a bare HTTP server that parses the same request and sends its body
back.

uvloop and httptools, as in Chappe; every header and the whole body are taken from the parser. What Chappe
adds to this is its own cost: the signature, the queue, the commit.
"""

from __future__ import annotations

import argparse
import asyncio

import httptools
import uvloop

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: "


class Echo(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self.body)
        self.transport.write(b"%b%d\r\n\r\n%b" % (HEAD, len(body), body))
        self.headers, self.body = [], []


async def serve(port: int) -> None:
    """Answer on loopback until killed."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="A bare HTTP server to compare with.")
    arguments.add_argument("--port", type=int, required=True)
    uvloop.run(serve(arguments.parse_args().port))
