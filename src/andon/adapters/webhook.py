"""Tells somebody outside by HTTP POST, signed as Standard Webhooks 1.0.0 (standardwebhooks.com) says."""

import base64
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from typing_extensions import override

from andon.base.errors import BadInput, Unavailable

TIMEOUT_SECONDS: Final = 2.0
"""For each step of a message, and for reading the whole answer."""
WAIT_MAX: Final = timedelta(minutes=1)
ANSWER_BYTES_MAX: Final = 65_536
NAMED: Final = ("html_url", "url", "web_url", "self", "key", "number", "id")
"""Where trackers put the address or the name of what they made."""
SECRET_PREFIX: Final = "whsec_"  # noqa: S105


@dataclass(slots=True)
class Webhook:
    """One recipient.

    Attributes:
        url: where to; http or https.
        secret: `whsec_…` (base64), signs each message; None: unsigned.
        now: the time.
        receipt: told what came back of each message: its id, its text, the answer in a word.
    """

    url: str
    secret: str | None
    now: Callable[[], datetime]
    receipt: Callable[[str, str, str], None] | None = None
    _failures: int = 0
    _next_at: datetime = field(default_factory=lambda: datetime.min.replace(tzinfo=UTC))

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            names = "ANDON_NOTICE_URL, ANDON_ESCALATION_URL, ANDON_TRACKER_URL or ANDON_HEARTBEAT_URL"
            raise BadInput(f"a webhook's address is http://… or https://…: mend {names}")

    def post(self, message_id: str, body: str) -> None:
        """Send a message; after a failure the next tries come after 1, 2, 4, … 60 seconds.

        Raises:
            Unavailable: it did not arrive; the same message later is right.
        """
        if self.now() < self._next_at:
            raise Unavailable(f"{self._host} did not answer: it is tried again at {self._next_at:%H:%M:%S}")
        try:
            said = self._send(message_id, body.encode())
        except (OSError, urllib.error.URLError, ValueError) as error:
            self._failures += 1
            self._next_at = self.now() + min(timedelta(seconds=2 ** (self._failures - 1)), WAIT_MAX)
            reason = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            raise Unavailable(f"{self._host} does not take messages: {reason}; mend its address") from None
        self._failures = 0
        if self.receipt is not None:
            self.receipt(message_id, body, said)

    def _send(self, message_id: str, body: bytes) -> str:
        at = int(self.now().timestamp())
        headers = {"Content-Type": "application/json", "webhook-id": message_id, "webhook-timestamp": str(at)}
        if self.secret is not None:
            headers["webhook-signature"] = signature(self.secret, message_id, at, body)
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310  # http or https only
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            content, code, place = _read(answer), answer.status, answer.headers.get("Location")
        return place or _named(content) or f"HTTP {code}"

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A message goes where it was told to, nowhere else."""

    @override
    def redirect_request(self, *_: object) -> None:
        """Follow none."""
        return


def signature(secret: str, message_id: str, at: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, time and body in base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode()


def _read(answer: http.client.HTTPResponse) -> bytes:
    """What is answered, up to a limit; of one that comes byte by byte for ever, what came in time."""
    content, end = b"", time.monotonic() + TIMEOUT_SECONDS
    while len(content) < ANSWER_BYTES_MAX and time.monotonic() < end:
        part = answer.read1(ANSWER_BYTES_MAX - len(content))
        if not part:
            break
        content += part
    return content


def _named(content: bytes) -> str | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return next((str(found[name])[:500] for name in NAMED if isinstance(found.get(name), str | int)), None)
