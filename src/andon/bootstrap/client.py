"""A command's way to a server: one request, errors as the errors they are."""

import base64
import http.client
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from errno import EEXIST
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from andon.base.errors import AndonError, BadInput, Tampered, Unauthenticated, Unavailable, kind_over_http
from andon_sdk.transport import Answer, Away, Transport

JSON: Final = "application/json"
OCTETS: Final = "application/octet-stream"
STREAM_SECONDS: Final = 60.0
FETCH_SECONDS: Final = 3_600.0
CHUNK_BYTES: Final = 1 << 20
_ERRORS: Final = 400


@dataclass(frozen=True, slots=True)
class Server:
    """A server: where it answers, and the token that it is asked with.

    Each request raises what the server says (BadInput, NotFound, Refused, Conflict, Denied, Unauthenticated, Tampered),
    and Unavailable where no answer comes. Headers are named with `_` for `-`; those that are None are left out.
    """

    address: str
    token: str

    def ask(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, **headers: str | None
    ) -> dict[str, Any]:
        """The document that it answers.

        Args:
            method: such as `GET`.
            path: such as `/api/v1/incidents`.
            body: a document to send.
            query: parameters; those that are None are left out.
            headers: more of them.
        """
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        place = f"{path}?{urlencode(asked, doseq=True)}" if asked else path
        if body is None:
            return self._exchange(method, place, None, headers)
        return self._exchange(method, place, json.dumps(body).encode(), {"Content_Type": JSON, **headers})

    def send(self, path: str, content: bytes, content_type: str, **headers: str | None) -> dict[str, Any]:
        """Send bytes as they are; the document that it answers."""
        return self._exchange("POST", path, content, {"Content_Type": content_type, **headers})

    def fetch(self, path: str, out: Path) -> Mapping[str, Any]:
        """Write an export to a file, whole or not at all; what its header says of it.

        Raises:
            OSError: the file cannot be written.
        """
        with self._opened("POST", path, FETCH_SECONDS, {}) as response, self._written(response, out):
            told: Mapping[str, Any] = json.loads(response.headers["Andon-Exported"])
        return told

    def fetch_file(self, path: str, out: Path) -> tuple[str, int]:
        """Write content to a file, whole and checked or not at all; its SHA-256 and its size in bytes.

        Raises:
            OSError: the file cannot be written.
            Tampered: it is not what its digest says.
        """
        with self._opened("GET", path, FETCH_SECONDS, {}) as response, self._written(response, out) as (digest, size):
            told = response.headers["Repr-Digest"] or ""
            if told != f"sha-256=:{base64.b64encode(digest.digest()).decode()}:":
                raise Tampered(
                    f"what came is not the file that the server has: nothing was written to {out}; try again"
                )
        return digest.hexdigest(), size

    @contextmanager
    def _written(self, response: http.client.HTTPResponse, out: Path) -> Iterator[tuple[Any, int]]:
        """Write an answer beside a file, which it becomes in the end; its SHA-256 and size meanwhile."""
        if out.exists() and not out.is_file():  # moved there, it would take the place of what others write to
            raise OSError(EEXIST, "it is a device or a pipe, or a folder", str(out))
        scratch, digest, size = out.parent / f".{secrets.token_hex(8)}.part", sha256(), 0
        with ExitStack() as stack:
            with scratch.open("xb") as file:
                stack.callback(scratch.unlink, missing_ok=True)
                for chunk in self._pieces(lambda: response.read(CHUNK_BYTES)):
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            if str(size) != response.headers.get("Content-Length", str(size)):
                raise self._away("it broke off (IncompleteRead)")
            yield digest, size
            scratch.replace(out)

    def upload(self, path: str, parts: Iterator[bytes], size: int, **headers: str) -> dict[str, Any]:
        """Send so many bytes in parts; the document that it answers."""
        given = {"Content_Type": OCTETS, "Content_Length": str(size), "Idempotency_Key": secrets.token_hex(16)}
        named = {name.replace("_", "-"): value for name, value in {**given, **headers}.items()}
        with self._opened("POST", path, FETCH_SECONDS, named, parts) as response, self._reached():
            return _document(response.read())

    @contextmanager
    def events(self, path: str, after: int | None = None) -> Iterator[Iterator[dict[str, Any]]]:
        """Server-sent events as they come: the fields of each, or nothing but `{}` as a sign of life.

        Raises:
            Unavailable: the stream breaks; come again with the last `id` as `after`.
        """
        headers = {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        with self._opened("GET", path, STREAM_SECONDS, headers) as response:
            yield _fields(self._pieces(response.readline))

    def _exchange(
        self, method: str, place: str, content: bytes | None, headers: Mapping[str, str | None]
    ) -> dict[str, Any]:
        given = {"Idempotency_Key": None if method == "GET" else secrets.token_hex(16), **headers}
        named = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        transport = Transport(self.address, self.token)
        try:
            got = transport.ask(method, place, content, named)
        except Away as away:
            raise self._away(str(away)) from None
        finally:
            transport.close()
        if got.status >= _ERRORS:
            raise error_of(got)
        return dict(got.document)

    @contextmanager
    def _opened(
        self, method: str, path: str, seconds: float, headers: Mapping[str, str], body: Iterator[bytes] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer that is read while it comes; no piece of it may take longer than so many seconds."""
        parts = urlsplit(self.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        with ExitStack() as stack:
            stack.callback(connection.close)
            with self._reached():
                place = parts.path.rstrip("/") + path
                named = {"Authorization": f"Bearer {self.token}", **headers}
                with suppress(BrokenPipeError, ConnectionResetError):  # it has answered before it read all
                    connection.request(method, place, body, named)
                response = connection.getresponse()
                content = response.read() if response.status >= _ERRORS else b""
            if response.status >= _ERRORS:
                raise error_of(Answer(response.status, _document(content), 0.0))
            yield response

    def _pieces(self, piece: Callable[[], bytes]) -> Iterator[bytes]:
        """What comes, until there is no more."""
        while True:
            with self._reached():
                found = piece()
            if not found:
                return
            yield found

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            raise self._away(f"it broke off ({type(error).__name__})") from None

    def _away(self, why: str) -> Unavailable:
        return Unavailable(
            f"the server at {self.address}: {why}; start it with `andon serve`, mend ANDON_SERVER, or look at it with"
            " `andon doctor`"
        )


def server() -> Server:
    """The server that ANDON_SERVER and ANDON_TOKEN name.

    Raises:
        Unavailable: no server is named.
        Unauthenticated: no token is.
        BadInput: what is named is no server.
    """
    address, token = os.environ.get("ANDON_SERVER", ""), os.environ.get("ANDON_TOKEN", "")
    if not address:
        raise Unavailable("no server is named: set ANDON_SERVER (and ANDON_TOKEN), as `andon serve` prints them")
    if not token:
        raise Unauthenticated("no token is named: set ANDON_TOKEN; `andon token create` makes one")
    if not address.startswith(("http://", "https://")) or not urlsplit(address).hostname:
        raise BadInput(f"ANDON_SERVER: {address} is no server: write http://HOST:PORT or https://HOST")
    return Server(address, token)


def quoted(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe="")


def error_of(got: Answer) -> AndonError:
    """The error that an answer is."""
    text = got.detail
    for each in got.document.get("lines", ())[:1]:
        text += f"; the first is line {each['line']} of its batch: {each['reason']}"
    return kind_over_http(got.status, str(got.document.get("title")))(text)


def _fields(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for raw in lines:
        line = raw.decode("utf-8").rstrip("\r\n")
        if not line:
            yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
