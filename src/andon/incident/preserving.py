"""Evidence of an incident: what is sealed, and the port to whoever seals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.base.moment import EARLIEST
from andon.evidence.hold import BEFORE
from andon.incident.clocks import read
from andon.ledger.journal import Fact

URGENT: Final = ("P0", "P1")
"""Priorities at which evidence is sealed by itself, at once."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What is to be held: a model's events since a time, and why."""

    model_id: str
    since: datetime
    reason: str
    incident_id: str


@dataclass(frozen=True, slots=True)
class SealReceipt:
    """A seal: its id, and the signed note over so many entries with that root."""

    seal_id: str
    size: int
    root: str
    note: str


Sealer = Callable[[Holding, str], SealReceipt]
"""Seals once per request; the same request again gives the same receipt."""


def holding_of(row: Mapping[str, Any], reason: str) -> Holding:
    """From 48 hours before the earliest time at which the failure may have begun."""
    times = [read(row[name]) for name in ("started_low", "started_at", "detected_at", "declared_at") if row[name]]
    return Holding(row["model_id"], max(min(times), EARLIEST) - BEFORE, reason, row["id"])


def sealed(row: Mapping[str, Any], receipt: SealReceipt, actor: str) -> Fact:
    """The fact that evidence of an incident is sealed."""
    data = {"seal_id": receipt.seal_id, "size": receipt.size, "root": receipt.root}
    return Fact("incident_sealed", row["id"], actor, data, {"note": receipt.note})
