"""Sends what a scan found to the server: the document, the figures, what was read by its SHA-256, and the pin."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from andon.base import address
from andon.base.errors import BadInput
from andon.bootstrap.client import Server, quoted

PATH: Final = "/api/v1/signals/scan"
PIN_BYTES_MAX: Final = 11 << 20
WAIT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Sent:
    """What the server made of it: its answer, and the incidents that the alerts of the scan belong to now."""

    answer: Mapping[str, Any]
    incidents: Sequence[str]


def send_scan(  # what is sent, and where to
    document: Mapping[str, Any],
    figures: Mapping[str, Any],
    logs: Sequence[str],
    pin: Path,
    *,
    from_ledger: bool,
    server: Server,
) -> Sent:
    """Send a scan and wait until its alerts have their incidents.

    Raises:
        BadInput: its pin is too large to be sent.
        Unavailable: the server does not answer.
    """
    content = pin.read_bytes()
    if len(content) > PIN_BYTES_MAX:
        raise BadInput(
            f"the pin of this scan has {len(content) >> 20} MiB, more than is sent: write it with --pin scan.pin, and"
            " seal it on the server's machine with `andon evidence seal --scan scan.pin`"
        )
    body: dict[str, Any] = {"scan": document, "figures": dict(figures), "inputs": [_input(log) for log in logs]}
    body |= {"from_ledger": from_ledger, "pin": base64.b64encode(content).decode()}
    answer = server.ask("POST", PATH, body)
    return Sent(answer, _settled(server, answer, document) if answer["alerts"] else ())


def _settled(server: Server, answer: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    where = f"/api/v1/signals/{quoted(answer['signal_id'])}"
    until(lambda: server.ask("GET", where)["state"] == "grouped")
    found = server.ask("GET", "/api/v1/alerts", query={"model": document["model_id"], "limit": 1_000})["items"]
    fired = {(each["incident_type"], each["detected_at"][:19]) for each in document["incidents"]}
    mine = [each for each in found if each["source"] == "scan" and each["incident_id"] is not None]
    named = [each["incident_id"] for each in mine if (each["incident_type"], each["starts_at"][:19]) in fired]
    return list(dict.fromkeys(named))


def until(is_done: Callable[[], bool]) -> None:
    """Wait until something is so, for as long as is reasonable."""
    end = time.monotonic() + WAIT_SECONDS
    while not is_done() and time.monotonic() < end:
        time.sleep(POLL_SECONDS)


def _input(log: str) -> dict[str, Any]:
    """What was read: a file by its SHA-256 and size, anything else by its name."""
    path = Path(log)
    if not path.is_file():
        return {"name": address.shown(log), "sha256": None, "bytes": None}
    with path.open("rb") as file:
        return {"name": path.name, "sha256": file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}
