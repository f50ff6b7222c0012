"""A command's way to the server: ANDON_SERVER and ANDON_TOKEN, one request, errors as the errors they are."""

import http.client
import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, urlencode

from andon.base.errors import (
    AndonError,
    BadInput,
    Conflict,
    Denied,
    NotFound,
    Refused,
    Tampered,
    Unauthenticated,
    Unavailable,
)
from andon_sdk.transport import Answer, Away, Transport

ERRORS: Final[Mapping[int, type[AndonError]]] = {
    401: Unauthenticated,
    403: Denied,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    500: Tampered,
}
JSON: Final = "application/json"
STREAM_SECONDS: Final = 60.0
REFUSED: Final = "refused by a rule"
_SERVER_ERRORS: Final = 500
_ERRORS: Final = 400


def ask(
    method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    """What the server answers.

    Args:
        method: such as `GET`.
        path: such as `/api/v1/incidents`.
        body: a document to send.
        query: parameters; those that are None are left out.
        headers: more of them; `_` stands for `-`.

    Raises:
        BadInput, NotFound, Refused, Conflict, Denied, Unauthenticated: as the server says.
        Unavailable: there is no server, or it does not answer.
    """
    return answer(method, path, body, query, **headers)[0]


def answer(
    method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, **headers: str
) -> tuple[dict[str, Any], Answer]:
    """The document, and the whole answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if method != "GET":
        named = {"Idempotency-Key": secrets.token_hex(16), **named}
    content = None
    if body is not None:
        content, named = json.dumps(body).encode(), {"Content-Type": JSON, **named}
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    place = f"{path}?{urlencode(asked, doseq=True)}" if asked else path
    return _exchange(method, place, content, named)


def send(path: str, content: bytes, content_type: str) -> dict[str, Any]:
    """Send bytes as they are; what the server answers.

    Raises:
        BadInput, NotFound, Refused, Conflict, Denied, Unauthenticated: as the server says.
        Unavailable: there is no server, or it does not answer.
    """
    named = {"Idempotency-Key": secrets.token_hex(16), "Content-Type": content_type}
    return _exchange("POST", path, content, named)[0]


def _exchange(
    method: str, place: str, content: bytes | None, named: Mapping[str, str]
) -> tuple[dict[str, Any], Answer]:
    server, token = where()
    transport = _transport(server, token)
    try:
        got = transport.ask(method, place, content, named)
    except Away as error:
        raise Unavailable(f"{server}: {error}; start it with `andon serve`, or mend ANDON_SERVER") from None
    finally:
        transport.close()
    if got.status >= _ERRORS:
        raise error_of(got)
    return dict(got.document), got


@contextmanager
def events(path: str, after: int | None = None) -> Iterator[Iterator[dict[str, Any]]]:
    """Server-sent events as they come: the fields of each, or nothing but `{}` as a sign of life.

    Raises:
        AndonError: as `ask`.
        Unavailable: the stream ends or breaks; come again with the last `id` as `after`.
    """
    server, token = where()
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    request = urllib.request.Request(server.rstrip("/") + path, headers=headers)  # noqa: S310  # checked by where()
    try:
        with urllib.request.urlopen(request, timeout=STREAM_SECONDS) as opened:  # noqa: S310
            yield _fields(opened)
    except urllib.error.HTTPError as error:
        with error:
            raise error_of(Answer(error.code, _document(error.read()), 0.0)) from None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{server}: the stream broke ({type(error).__name__}); is `andon serve` running?") from None


def _fields(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
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


def where() -> tuple[str, str]:
    """The server's address and the token.

    Raises:
        Unavailable: no server is named.
        Unauthenticated: no token is.
    """
    server, token = os.environ.get("ANDON_SERVER", ""), os.environ.get("ANDON_TOKEN", "")
    if not server:
        raise Unavailable("no server is named: set ANDON_SERVER (and ANDON_TOKEN), as `andon serve` prints them")
    if not token:
        raise Unauthenticated("no token is named: set ANDON_TOKEN; `andon token create` makes one")
    if not server.startswith(("http://", "https://")):
        raise BadInput(f"ANDON_SERVER: {server} is no server: write http://HOST:PORT or https://HOST")
    return server, token


def quoted(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe="")


def error_of(got: Answer) -> AndonError:
    """The error that an answer is."""
    kind = ERRORS.get(got.status, BadInput)
    if got.document.get("title") == REFUSED:
        kind = Refused
    elif got.status > _SERVER_ERRORS or got.status == 429:  # noqa: PLR2004
        kind = Unavailable
    return kind(got.detail)


def _transport(server: str, token: str) -> Transport:
    try:
        return Transport(server, token)
    except ValueError as error:
        raise BadInput(f"ANDON_SERVER: {error}") from None
