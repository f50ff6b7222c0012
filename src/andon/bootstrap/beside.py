"""The ledger beside a running server: what a command does to it, the server does, asked over HTTP on this machine."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from andon.adapters.artifacts import ArtifactStore
from andon.base.errors import BadInput, Unavailable
from andon.bootstrap.chance import many_random_bytes
from andon.bootstrap.client import Server, quoted
from andon.bootstrap.settings import place_of
from andon.evidence.hold import Hold
from andon.ledger.checkpoint import Checkpoint, Signer
from andon.ledger.entry import Entry
from andon.services.audit import Case, Sealed
from andon.services.export import Exported
from andon.services.record import Record
from andon.services.retain import Retained
from andon.telemetry.producer import Range


def server_in(data: Path, writer: str | None = None) -> Server | None:
    """The server that serves a data folder and writes a log (None: the first), if there is one that answers."""
    try:
        place = json.loads(place_of(data, writer).read_text())
        server = Server(place["address"], place["secret"])
        server.ask("GET", "/healthz")
    except (OSError, ValueError, KeyError, Unavailable):
        return None
    return server


@dataclass(frozen=True, slots=True)
class RemoteLog:
    """What a command asks of the server's log."""

    server: Server
    signer: Signer

    @property
    def size(self) -> int:
        """How many entries the newest checkpoint covers."""
        return self.checkpoint()[0].size

    def checkpoint(self) -> tuple[Checkpoint, bytes]:
        """A checkpoint over all that is recorded."""
        note = str(self.server.ask("GET", "/api/v1/checkpoint")["checkpoint"]).encode()
        return self.signer.verifier.open(note), note

    def append(self, entries: Sequence[Entry]) -> int:
        """Events go by `take`, and the server notes what it sees of its own clock."""
        del entries
        return 0


@dataclass(frozen=True, slots=True)
class RemoteAudit:
    """Custody and proofs, by the server; as `services.audit.Audit`."""

    server: Server

    def seal(self, case: Case) -> Sealed:
        """Hold a case's events."""
        window = {"since": _text(case.since), "until": _text(case.until)}
        body = {"model_id": case.model_id, "reason": case.reason, **window, "facts": dict(case.pinned)}
        made = self.server.ask("POST", "/api/v1/seals", body)
        receipt = made["seal_id"], made["entry"], made["size"], made["root"], made["checkpoint"]
        return Sealed(*receipt, made["other_logs"], made["model_known"])

    def holds(self) -> list[Hold]:
        """All holds."""
        return [_hold(each) for each in self.server.ask("GET", "/api/v1/seals")["items"]]

    def release(self, seal_id: str, by: str, reason: str, needs: int) -> Hold:
        """Ask for a release; how many people have to, the server knows."""
        del needs
        path = f"/api/v1/seals/{quoted(seal_id)}/release"
        return _hold(self.server.ask("POST", path, {"reason": reason, "by": by}))

    def prove(self, name: str) -> dict[str, Any]:
        """The proof that an entry is in the log."""
        proof = self.server.ask("GET", f"/api/v1/entries/{quoted(name)}/proof")
        proof.pop("salt", None)
        return proof

    def compare(self, note: bytes) -> int:
        """Whether the log goes on from a checkpoint."""
        body = {"checkpoint": note.decode("utf-8", "replace")}
        return int(self.server.ask("POST", "/api/v1/checkpoint/compare", body)["size"])


@dataclass(frozen=True, slots=True)
class RemoteIntake:
    """Sends entries' events to the server; it knows which of a producer it has."""

    server: Server

    def taken(self, place: Range) -> int:
        """It is asked by sending."""
        del place
        return 0

    def take(self, entries: Sequence[Entry], sender: str, place: Range | None) -> int:
        """Send entries' events; how many of them it had."""
        del sender
        headers: dict[str, str | None] = {"Idempotency_Key": None}  # the place says it, where there is one
        if place is not None:
            headers |= {"Andon_Producer": place.producer, "Andon_Epoch": str(place.epoch)}
            headers |= {"Andon_First": str(place.first), "Andon_Start": place.digest}
        body = b"\n".join(entry.payload for entry in entries) + b"\n"
        return int(self.server.send("/api/v1/events", body, "application/x-ndjson", **headers)["repeated"])


@dataclass(frozen=True, slots=True)
class Beside:
    """A ledger that a server holds, with what `Ledger` has."""

    server: Server
    signer: Signer
    store: ArtifactStore

    @property
    def log(self) -> RemoteLog:
        """The log."""
        return RemoteLog(self.server, self.signer)

    @property
    def audit(self) -> RemoteAudit:
        """Custody and proofs."""
        return RemoteAudit(self.server)

    @property
    def record(self) -> Record:
        """Checks events and sends them in batches."""
        return Record(self.log, lambda: datetime.now(UTC), many_random_bytes)

    def ingest(self) -> RemoteIntake:
        """Takes entries."""
        return RemoteIntake(self.server)

    def retain(self, days: int, *, dry_run: bool) -> Retained:
        """Delete the oldest segments; the server knows how many days have to be kept."""
        done = self.server.ask("POST", "/api/v1/retention", {"days": days, "dry_run": dry_run})
        held = None if done["held_by"] is None else (done["held_segment"], done["held_by"])
        return Retained(done["entries"], done["segments"], done["first"], held)

    def export(self, seal_id: str, out: Path, *, redact: bool) -> Exported:
        """Write the bundle of a seal to a file."""
        path = f"/api/v1/seals/{quoted(seal_id)}/export?redact={str(redact).lower()}"
        try:
            return Exported(**self.server.fetch(path, out))
        except OSError as error:
            raise BadInput(f"cannot write {out}: {error.strerror}; name a file where there is room") from None


def _hold(document: Mapping[str, Any]) -> Hold:
    return Hold(**{**document, "releasers": tuple(document["releasers"])})


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
