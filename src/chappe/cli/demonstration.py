"""What `chappe serve --demo` does once the server runs: consents, suppressions, messages, and a look at what happens.

All of it goes through the public API, as any program's messages would.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from chappe.cli.connection import DEFAULT_DATA, Server, ServerUnreachable, connect
from chappe.cli.entries import Format, read_entries
from chappe.cli.following import count_by_status, follow
from chappe.cli.output import status_table, terminal
from chappe.cli.send import Outcome, send_all
from chappe.demo import Receivers, find_examples
from chappe.demo.examples import WEBHOOK_ORIGIN
from chappe.model.errors import ChappeError

BATCH = 40
"""Messages in one request: small, so that there is something to watch."""
_PATIENCE_SECONDS = 60.0
_WORTH_A_LOOK = {"defer": "Why does one wait?", "block": "Why was one blocked?"}


class Demonstration:
    """Runs in a thread of its own beside the server; `stop` ends it early."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self._stopped = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._console = terminal()
        self._outcomes: list[Outcome] = []
        self._hint = ""

    def begin(self, url: str, data: Path) -> None:
        """Start; called in the server's event loop."""
        self._hint = "" if data == DEFAULT_DATA else f" --data {data}"
        self._task = asyncio.create_task(asyncio.to_thread(self._guarded, url, data))

    def stop(self) -> None:
        """End it at the next step; returns at once."""
        self._stopped.set()

    def _guarded(self, url: str, data: Path) -> None:
        try:
            with connect(url, None, data) as server:
                self._run(server)
        except ServerUnreachable:
            return  # it is in this process: it has been stopped
        except ChappeError as error:
            self._console.print(f"The demonstration ended early: {error.message}", style="red", markup=False)

    def _run(self, server: Server) -> None:
        examples = find_examples()
        self._post_each(server, "/v1/consents", examples.consents)
        self._post_each(server, "/v1/suppressions", examples.suppressions)
        self._console.print(f"Sending {examples.messages} ...", markup=False)
        counts = self._watched(server, self._sending(server, examples.messages))
        self._close(counts, examples.messages)

    def _post_each(self, server: Server, path: str, file: Path) -> None:
        entries = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
        for entry in entries:
            server.post(path, entry)
        self._console.print(f"{len(entries)} posted to {path}")

    def _sending(self, server: Server, file: Path) -> Iterator[list[Outcome]]:
        origin = f"http://localhost:{self._receivers.webhook_port}"
        content = file.read_bytes().replace(WEBHOOK_ORIGIN.encode(), origin.encode())
        return send_all(server, read_entries(io.BytesIO(content), Format.JSONL), BATCH)

    def _watched(self, server: Server, sending: Iterator[list[Outcome]]) -> Counter[str]:
        """Send, and follow what becomes of it until everything is at rest. The last counts by status."""
        with _view(self._console) as view:
            for outcomes in sending:
                if self._stopped.is_set():
                    break
                self._outcomes += outcomes
                ids = {outcome.id for outcome in self._outcomes if outcome.id is not None}
                view.show(self._picture(count_by_status(server, ids) + self._refused()))
            ids = {outcome.id for outcome in self._outcomes if outcome.id is not None}
            refused = self._refused()
            counts = follow(
                server,
                ids,
                lambda counts: view.show(self._picture(counts + refused)),
                wait=self._stopped.wait,
                enough=self._stopped.is_set,
                patience_seconds=_PATIENCE_SECONDS,
            )
            return counts + refused

    def _refused(self) -> Counter[str]:
        return Counter(outcome.status for outcome in self._outcomes if not outcome.ok)

    def _picture(self, counts: Counter[str]) -> _Picture:
        return _Picture(counts, self._receivers.mail.received, self._receivers.webhooks.received)

    def _close(self, counts: Counter[str], file: Path) -> None:
        for outcome in self._outcomes:
            if not outcome.ok:
                self._console.print(
                    f"line {outcome.line}: {outcome.status} [{outcome.code}]: {outcome.reason}", markup=False
                )
        self._console.print(f"{counts.total()} lines of {file.name}", status_table(counts), sep="\n")
        mail, webhooks = self._receivers.mail, self._receivers.webhooks
        self._console.print(f"{mail.received} e-mails received, in {mail.folder}", markup=False)
        self._console.print(f"{webhooks.received} webhooks received, in {webhooks.file}", markup=False)
        for decision, question in _WORTH_A_LOOK.items():
            example = next((o.id for o in self._outcomes if o.decision == decision), None)
            if example is not None:
                self._console.print(f"{question}  chappe status {example}{self._hint}", markup=False)
        self._console.print("The server stays up; Ctrl-C stops it.")


class _Picture(msgspec.Struct, frozen=True):
    """What is to be seen at one moment."""

    counts: dict[str, int]
    mails: int
    webhooks: int

    def table(self) -> Table:
        table = status_table(self.counts)
        table.add_section()
        table.add_row("e-mails received", str(self.mails))
        table.add_row("webhooks received", str(self.webhooks))
        return table

    def line(self) -> str:
        counts = "  ".join(f"{status} {count}" for status, count in sorted(self.counts.items()))
        return f"{counts}  | e-mails {self.mails}, webhooks {self.webhooks}"


class _LiveView:
    """A table that changes in place, on a terminal."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, picture: _Picture) -> None:
        self._live.update(picture.table(), refresh=True)


class _PlainView:
    """A line for each change, where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: _Picture | None = None

    def show(self, picture: _Picture) -> None:
        if picture != self._last:
            self._console.print(picture.line(), markup=False)
            self._last = picture


@contextlib.contextmanager
def _view(console: Console) -> Iterator[_LiveView | _PlainView]:
    if not console.is_terminal:
        yield _PlainView(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _LiveView(live)
