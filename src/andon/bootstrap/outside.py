"""Who is told of incidents: the webhooks that the environment names, as outsiders of the journal."""

import json
import os
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from andon.adapters.webhook import Webhook
from andon.base.errors import BadInput
from andon.bootstrap.journal import now
from andon.incident.automatic import SETTINGS
from andon.ledger.journal import Message

SECRET: Final = "ANDON_WEBHOOK_SECRET"  # noqa: S105  # a name
ACTION: Final = "action."
Receive = Callable[[str, str, str, str], None]
"""Told incident, action, receipt, and the id of the message."""


@dataclass(frozen=True, slots=True)
class Told:
    """A webhook as an outsider."""

    webhook: Webhook

    def send(self, message_id: str, message: Message) -> None:
        """Post it."""
        self.webhook.post(message_id, message.body)


def outsiders(receive: Receive) -> dict[str, Told]:
    """Those that the environment names, by recipient."""

    def receipt(message_id: str, body: str, said: str) -> None:
        told = json.loads(body)
        if told["type"].startswith(ACTION):
            receive(told["incident"]["id"], told["type"].removeprefix(ACTION), said, message_id)

    secret = os.environ.get(SECRET) or None
    named = {recipient: os.environ.get(setting) for recipient, setting in SETTINGS.items()}
    found = {name: Told(Webhook(url, secret, now, receipt)) for name, url in named.items() if url}
    if secret is not None:
        _check(secret)
    return found


def _check(secret: str) -> None:
    try:
        b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise BadInput(f"{SECRET} is no secret of a webhook: set it to whsec_ and base64") from None
