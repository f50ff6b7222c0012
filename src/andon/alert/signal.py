"""A signal: what one sender sent at once, accepted as a whole or not at all; alerts are made of it afterwards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from andon.alert.alert import Alert
from andon.base.errors import BadInput

ALERTS_MAX: Final = 10_000
"""So many alerts one signal may hold."""
BODY_BYTES_MAX: Final = 16 << 20
PART_ALERTS: Final = 200
"""So many alerts wait, and are grouped, together."""
WAITING: Final = "waiting"
GROUPED: Final = "grouped"


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a scan was made from, so that it is held and can be done again.

    Attributes:
        scan: its document.
        members: its plan, summaries, model file and charts.
        inputs: the files that were read, by name, SHA-256 and size.
        predictions_in_ledger: how many of the decisions the ledger holds, as the sender says: 0 for a file.
    """

    scan: Mapping[str, Any]
    members: Mapping[str, bytes]
    inputs: Sequence[Mapping[str, Any]]
    predictions_in_ledger: int


Seal = Callable[[Pinned, str], str]
"""Holds what was pinned, under the id of a request; returns the seal's id. The same request again is the same seal."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a sender sent, as read.

    Attributes:
        alerts: in the order in which they stand there.
        left_out: so many more the sender had and did not send (Alertmanager's `truncatedAlerts`).
        event: names the delivery for good at its sender (CloudEvents' source and id); the same again is the same.
        figures: of the model that a scan was about (`model_id`), kept until its next scan.
        pinned: what a scan was made from, for a seal.
        reply: what the answer says beside the signal's id.
    """

    alerts: tuple[Alert, ...]
    left_out: int = 0
    event: str | None = None
    reply: Mapping[str, Any] | None = None
    figures: Mapping[str, Any] | None = None
    pinned: Pinned | None = None


Parser = Callable[[bytes, Mapping[str, str]], Delivery]
"""Reads the body of a delivery and its headers (names in small letters); raises BadInput with the mend."""


class InvalidEvent(BadInput):
    """An event of PagerDuty's API is none; `errors` names all that is wrong, as that API does."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__(f"the event is invalid: {'; '.join(errors)}")
        self.errors = tuple(errors)
