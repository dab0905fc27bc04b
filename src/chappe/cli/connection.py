"""How a command finds the server and shows it an API key, and what it makes of the answers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from chappe import __version__
from chappe.model.errors import ChappeError, InvalidConfiguration, Unavailable
from chappe.model.unreadable import unreadable
from chappe.security.first_credentials import CREDENTIALS_FILE
from chappe.security.private_file import replace_private_file

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:9324"
DEFAULT_DATA = Path("chappe-data")
CONFIG_VARIABLE = "CHAPPE_CONFIG"
_URL_FILE = "server-url"
_PAGE_MAX = 500
"""The most entries that the server puts on one page."""

UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="CHAPPE_URL", show_envvar=True, help=f"The server. [default: {DEFAULT_URL}]"),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="CHAPPE_API_KEY",
        show_envvar=True,
        help="API key. [default: the first one, from the data folder]",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="CHAPPE_SERVER_DATA",
        show_envvar=True,
        help=f"Data folder. [default: that of the file in {CONFIG_VARIABLE}, else {DEFAULT_DATA}]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]

_JSON = {"content-type": "application/json"}


class ServerRefused(ChappeError):
    """The server answered with an error; `code` in the details is the server's own."""

    code = "refused"


class ServerUnreachable(Unavailable):
    """No server answered."""

    code = "server_unreachable"


class Server:
    """The REST API of one server. Raises `InvalidConfiguration`, `ServerRefused` and `ServerUnreachable`."""

    def __init__(self, url: str, api_key: str | None) -> None:
        import httpx  # loaded here, for it takes its time and not every command needs it

        headers = {"user-agent": f"chappe-cli/{__version__}"}
        if api_key:
            if not (api_key.isascii() and api_key.isprintable()):
                raise InvalidConfiguration("The API key has characters that no key has; check CHAPPE_API_KEY.")
            headers["authorization"] = f"Bearer {api_key}"
        self.url = url.rstrip("/")
        # The key must not go to a proxy or a host that the environment or a redirect names.
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=60.0, trust_env=False)
        except httpx.InvalidURL as error:
            raise InvalidConfiguration(
                f"{url!r} is not the URL of a server, such as {DEFAULT_URL}: {error}.", url=url
            ) from None
        self._failures: type[Exception] = httpx.HTTPError

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **parameters: str | int | None) -> Any:
        """The JSON answer to a GET."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._answer("GET", path, params=given)

    def pages(self, path: str, **parameters: str | int | None) -> Iterator[Any]:
        """The JSON answers to a GET of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **parameters)
            yield page
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def entries(
        self, path: str, name: str, most: int | None = None, /, **parameters: str | int | None
    ) -> Iterator[Any]:
        """The entries of a list, `most` of them at the most. `name` is what the list is called in the answers."""
        pages = self.pages(path, limit=min(most or _PAGE_MAX, _PAGE_MAX), **parameters)
        return islice((entry for page in pages for entry in page[name]), most)

    def post(self, path: str, document: object, *, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON answer to a POST of `document`."""
        all_headers = {"content-type": "application/json", **(headers or {})}
        return self._answer("POST", path, content=msgspec.json.encode(document), headers=all_headers)

    def put(self, path: str, document: object) -> Any:
        """The JSON answer to a PUT of `document`."""
        return self._answer("PUT", path, content=msgspec.json.encode(document), headers=_JSON)

    def patch(self, path: str, document: object) -> Any:
        """The JSON answer to a PATCH with the changes of `document`."""
        return self._answer("PATCH", path, content=msgspec.json.encode(document), headers=_JSON)

    def delete(self, path: str) -> None:
        """DELETE what is at a path."""
        self._answer("DELETE", path)

    def text(self, path: str) -> str:
        """The answer to a GET as it stands."""
        response = self._respond("GET", path)
        return str(response.text)

    def download(self, path: str, file: Path) -> None:
        """Keep the answer to a GET in a file that only its owner can read."""
        try:
            with self._http.stream("GET", path) as response:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "wb") as stream:
                    for chunk in response.iter_bytes():
                        stream.write(chunk)
        except self._failures as error:
            raise self._unreachable(error) from error
        except OSError as error:
            raise InvalidConfiguration(f"{file}: it cannot be written: {error.strerror}.", file=str(file)) from error

    def upload(self, path: str, chunks: Iterator[bytes], media_type: str, **parameters: str | int | None) -> Any:
        """The JSON answer to a POST of a list, sent as it is read."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._answer("POST", path, content=chunks, headers={"content-type": media_type}, params=given)

    def _answer(self, method: str, path: str, **options: Any) -> Any:
        return _decoded(self._respond(method, path, **options))

    def _respond(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except self._failures as error:
            raise self._unreachable(error) from error
        if response.is_success:
            return response
        raise _refusal(response)

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        return ServerUnreachable(
            f"{self.url} does not answer ({error}); is `chappe serve` running there?", url=self.url
        )


def connect(url: str | None, api_key: str | None, data: Path | None) -> Server:
    """The server to talk to: as given, else the one of the data folder, else the one at the default address.

    A key from the data folder is shown only to the server that the folder belongs to, not to one named by `url`.
    """
    if url is not None and (data is None or api_key is not None):
        return Server(url, api_key)
    folder = data_folder(data)
    return Server(url or _remembered_url(folder) or DEFAULT_URL, api_key or _kept_key(folder))


def data_folder(given: Path | None) -> Path:
    """The folder as given, else the one in the configuration file that `CHAPPE_CONFIG` names, else the default."""
    file = config_file()
    if given is not None or file is None:
        return given or DEFAULT_DATA
    from chappe.config import ServerSettings, load_section  # takes its time, and is rarely needed

    return load_section("server", ServerSettings, file).data


def config_file() -> Path | None:
    """The configuration file that the environment names."""
    name = os.environ.get(CONFIG_VARIABLE)
    return Path(name) if name else None


def remember_url(folder: Path, url: str) -> None:
    """Leave a server's address in its data folder, for commands that are given the folder only."""
    replace_private_file(folder / _URL_FILE, f"{url}\n".encode())


def _remembered_url(folder: Path) -> str | None:
    try:
        return (folder / _URL_FILE).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _kept_key(folder: Path) -> str | None:
    """The API key of `credentials.env`, which the first start leaves in the data folder."""
    path = folder / CREDENTIALS_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    for line in text.splitlines():
        name, equals, value = line.removeprefix("export ").partition("=")
        if equals and name == "CHAPPE_API_KEY":
            return "".join(shlex.split(value))
    return None


def _refusal(response: httpx.Response) -> ServerRefused:
    """An RFC 9457 problem as an error; anything else by its status."""
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    code = problem.get("code") or f"http_{response.status_code}"
    text = str(problem.get("detail") or problem.get("title") or response.reason_phrase)
    pointer = str(problem.get("pointer") or "")
    if pointer.rpartition("/")[2] not in text:
        text = f"{pointer}: {text}"
    return ServerRefused(text, code=code, status=response.status_code, problem=problem)


def _decoded(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        raise ServerRefused(f"the answer is not JSON: {error}", code="bad_answer") from error
