"""The dead man's switch: somebody outside hears of this server as long as it takes requests, and misses it else."""

import json
import os
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final

from andon.adapters.webhook import Webhook
from andon.base.errors import Unavailable
from andon.bootstrap.journal import now
from andon.bootstrap.outside import SECRET

SETTING: Final = "ANDON_HEARTBEAT_URL"
BEAT_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 1.0
"""After a beat that nobody heard, and while the server is not ready."""
TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Tells a webhook once a minute that the server answers; it asks over HTTP, as any stranger would.

    Attributes:
        webhook: who is to hear it.
        address: where this server answers.
        writer: the name of its log, so that servers beside each other are told apart.
    """

    webhook: Webhook
    address: str
    writer: str

    def beat(self) -> bool:
        """Tell it, if the server is ready; whether it was heard."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=TIMEOUT_SECONDS):  # noqa: S310  # our own
                at = now()
            body = {"type": "heartbeat", "at": at.isoformat(), "server": self.writer, "every_seconds": BEAT_SECONDS}
            self.webhook.post(f"beat_{self.writer}_{at.timestamp():.0f}", json.dumps(body))
        except (OSError, ValueError, Unavailable, urllib.error.URLError):
            return False
        return True

    def run(self, until: threading.Event) -> None:
        """Beat until the end."""
        wait = AGAIN_SECONDS
        while not until.wait(wait):
            wait = BEAT_SECONDS if self.beat() else AGAIN_SECONDS


def heartbeat_of(address: str, writer: str) -> Heartbeat | None:
    """As the environment says; None: nobody is to hear it."""
    url = os.environ.get(SETTING)
    return Heartbeat(Webhook(url, os.environ.get(SECRET) or None, now), address, writer) if url else None
