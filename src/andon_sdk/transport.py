"""HTTP to the server, over one connection that is kept open."""

import http.client
import json
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 30.0


class Away(Exception):
    """The server cannot be reached, or its answer did not come."""


@dataclass(frozen=True)
class Answer:
    """What the server said: status, the JSON document, after how many seconds to come again (0: it did not say)."""

    status: int
    document: Mapping[str, Any]
    retry_seconds: float

    @property
    def detail(self) -> str:
        """Its sentence."""
        return str(self.document.get("detail", f"the server answered {self.status}"))


class Transport:
    """Talks to one server; not for several threads at once."""

    def __init__(self, server: str, token: str, context: ssl.SSLContext | None = None) -> None:
        parts = urllib.parse.urlsplit(server)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"{server} is no server: write http://HOST:PORT or https://HOST")
        self._parts, self._context = parts, context
        self._headers = {"Authorization": f"Bearer {token}"}
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request.

        Raises:
            Away: no answer came; the request may or may not have been carried out.
        """
        try:
            connection = self._connected()
            connection.request(method, self._parts.path.rstrip("/") + path, body, {**self._headers, **(headers or {})})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Away(f"{self._parts.hostname} does not answer: {type(error).__name__}") from None
        retry = response.headers.get("Retry-After", "0")
        return Answer(response.status, _document(content), float(retry) if retry.isdigit() else 0.0)

    def close(self) -> None:
        """End the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = self._parts.hostname or "", self._parts.port
            if self._parts.scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    host, port, timeout=TIMEOUT_SECONDS, context=self._context
                )
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        return self._connection


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
