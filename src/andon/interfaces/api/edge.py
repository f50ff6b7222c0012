"""The edge of the server: who calls, how often, how much; secure headers; no error leaves as a traceback."""

import base64
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from andon.base.errors import AndonError, Tampered, Unauthenticated
from andon.bootstrap.house import House
from andon.interfaces.api.limits import Buckets
from andon.interfaces.api.problems import CRASHED, HttpProblem, problem, problem_of
from andon.people.token import Token

OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What answers a stranger; it holds no personal data."""
BY_KEY: Final = frozenset({"/v2/enqueue"})
"""What finds its caller by a key in the body."""
PAGES: Final = "/playbooks/"
"""Pages to read: a browser, which cannot send a bearer token, may send it as the password it asks for."""
BROWSER: Final = 'Basic realm="andon: the password is your token", charset="UTF-8"'
SECURE: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
LOGGER: Final = logging.getLogger("andon.server")


class Edge:
    """Wraps the application."""

    def __init__(
        self, app: ASGIApp, house: House, now: Callable[[], datetime], hot: Mapping[tuple[str, str], ASGIApp]
    ) -> None:
        """`hot`: endpoints that are called without the application between, by method and path."""
        self._app, self._house, self._now, self._hot = app, house, now, hot
        limits = house.settings.limits
        self._calls = Buckets(limits.requests_per_second, limits.requests_burst)
        self._failures = Buckets(limits.failures_per_second, limits.failures_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message["headers"], *SECURE]}
            await send(message)

        try:
            if scope["path"] not in (*OPEN, *BY_KEY):
                address = (scope.get("client") or ("", 0))[0]
                caller = self.admit(address, lambda at: self._house.door.admit(_bearer(scope), at))
                scope.setdefault("state", {})["caller"] = caller
            await self._hot.get((scope["method"], scope["path"]), self._app)(scope, receive, secured)
        except AndonError as error:
            await _told(error, scope["path"])(scope, receive, secured)
        except Exception as error:  # noqa: BLE001  # the one edge: whatever broke, the caller gets a document
            LOGGER.error("%s at %s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))  # noqa: TRY400  # its text may hold data
            if not started:
                await problem(500, "internal error", CRASHED)(scope, receive, secured)

    def admit(self, address: str, find: Callable[[str], Token]) -> Token:
        """The caller that `find` knows at a time, within the limits of its token and its address.

        Raises:
            Unauthenticated: it knows none.
            HttpProblem: too many wrong ones, or too many requests; 429.
        """
        clock = time.monotonic()
        if self._failures.is_empty(address, clock):
            raise HttpProblem(
                429, "too many wrong tokens", "too many wrong tokens from this address: wait, then mend the token"
            )
        try:
            caller = find(_text(self._now()))
        except Unauthenticated:
            self._failures.take(address, clock)
            self._house.signals.denied(f"address {address}", is_known=False)
            raise
        if not self._calls.take(caller.id, clock):
            raise HttpProblem(
                429, "too many requests", "too many requests with this token: wait a second, send more in one"
            )
        if self._house.tampered is not None:
            raise Tampered(self._house.tampered)
        return caller


def _told(error: AndonError, path: str) -> Response:
    """The answer to an error; a browser that opens a page is asked for the token."""
    answer = problem_of(error)
    if isinstance(error, Unauthenticated) and path.startswith(PAGES):
        answer.headers["WWW-Authenticate"] = BROWSER
    return answer


def _bearer(scope: Scope) -> str | None:
    """The secret that a request carries."""
    found = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    kind, _, secret = found.decode("latin-1").partition(" ")
    if kind.lower() == "basic" and scope["path"].startswith(PAGES):
        return _password(secret.strip())
    return secret.strip() if kind.lower() == "bearer" and secret.strip() else None


def _password(pair: str) -> str | None:
    """The password of `base64(name:password)`; whatever stands as the name."""
    try:
        return base64.b64decode(pair, validate=True).decode().partition(":")[2] or None
    except ValueError:
        return None


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
