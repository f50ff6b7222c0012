"""The ledger beside a running server: what a command does to it, the server does, asked over HTTP on this machine."""

import http.client
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from andon.adapters.artifacts import ArtifactStore
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
from andon.bootstrap.settings import PLACE
from andon.evidence.hold import Hold
from andon.ledger.checkpoint import Checkpoint, Signer
from andon.ledger.entry import Entry
from andon.services.audit import Case, Sealed
from andon.services.export import Exported
from andon.services.record import Record
from andon.telemetry.producer import Range
from andon_sdk.transport import Answer, Away, Transport

JSON: Final = {"Content-Type": "application/json"}
EXPORT_SECONDS: Final = 3_600
CHUNK_BYTES: Final = 1 << 20
_OK: Final = 300
_ERRORS: Final[Mapping[str, type[AndonError]]] = {
    "no valid token": Unauthenticated,
    "not permitted": Denied,
    "conflict": Conflict,
    "refused by a rule": Refused,
    "not found": NotFound,
    "bad input": BadInput,
    "evidence is not what was recorded": Tampered,
}
"""Titles of the server's problems."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that says it serves a data folder, and the secret that it left there for whoever can read it."""

    address: str
    secret: str

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Its answer.

        Raises:
            AndonError: as the server says.
            Unavailable: it does not answer.
        """
        transport = Transport(self.address, self.secret)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            answer = transport.ask(method, path, content, headers or JSON)
        except Away as away:
            raise Unavailable(f"the server at {self.address}: {away}; look at it with `andon doctor`") from None
        finally:
            transport.close()
        if answer.status >= _OK:
            raise _error(answer)
        return answer

    def fetch(self, path: str, out: Path) -> Mapping[str, Any]:
        """Write an answer to a file, whole or not at all; what its header says of it."""
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=EXPORT_SECONDS)
        scratch = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        with ExitStack() as stack:
            stack.callback(connection.close)
            stack.callback(scratch.unlink, missing_ok=True)
            try:
                connection.request("POST", path, headers={"Authorization": f"Bearer {self.secret}"})
                response = connection.getresponse()
                if response.status >= _OK:
                    raise _error(Answer(response.status, json.loads(response.read()), 0.0))
                with scratch.open("wb") as file:
                    while chunk := response.read(CHUNK_BYTES):
                        file.write(chunk)
            except http.client.HTTPException as error:
                raise Unavailable(
                    f"the server at {self.address} broke off: {type(error).__name__}; try again"
                ) from None
            scratch.replace(out)
        told: Mapping[str, Any] = json.loads(response.headers["Andon-Exported"])
        return told


def server_in(data: Path) -> Server | None:
    """The server that serves a data folder, if there is one that answers."""
    try:
        place = json.loads((data / PLACE).read_text())
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
        note = str(self.server.ask("GET", "/api/v1/checkpoint").document["checkpoint"]).encode()
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
        made = self.server.ask("POST", "/api/v1/seals", body, JSON | _key()).document
        return Sealed(made["seal_id"], made["entry"], made["size"], made["root"], made["checkpoint"])

    def holds(self) -> list[Hold]:
        """All holds."""
        return [_hold(each) for each in self.server.ask("GET", "/api/v1/seals").document["items"]]

    def release(self, seal_id: str, by: str, reason: str, needs: int) -> Hold:
        """Ask for a release; how many people have to, the server knows."""
        del needs
        path = f"/api/v1/seals/{quote(seal_id, safe='')}/release"
        return _hold(self.server.ask("POST", path, {"reason": reason, "by": by}, JSON | _key()).document)

    def prove(self, name: str) -> dict[str, Any]:
        """The proof that an entry is in the log."""
        proof = dict(self.server.ask("GET", f"/api/v1/entries/{quote(name, safe='')}/proof").document)
        proof.pop("salt", None)
        return proof

    def compare(self, note: bytes) -> int:
        """Whether the log goes on from a checkpoint."""
        body = {"checkpoint": note.decode("utf-8", "replace")}
        return int(self.server.ask("POST", "/api/v1/checkpoint/compare", body).document["size"])


@dataclass(frozen=True, slots=True)
class RemoteIntake:
    """Sends entries' events to the server; it knows which of a producer it has."""

    server: Server

    def taken(self, producer: str) -> int:
        """It is asked by sending."""
        del producer
        return 0

    def take(self, entries: Sequence[Entry], sender: str, place: Range | None) -> int:
        """Send entries' events; how many of them it had."""
        del sender
        headers = {"Content-Type": "application/x-ndjson"}
        if place is not None:
            headers |= {"Andon-Producer": place.producer, "Andon-Epoch": str(place.epoch)}
            headers["Andon-First"] = str(place.first)
        body = b"\n".join(entry.payload for entry in entries) + b"\n"
        return int(self.server.ask("POST", "/api/v1/events", body, headers).document["repeated"])


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
        return Record(self.log, lambda: datetime.now(UTC), secrets.token_bytes)

    def ingest(self) -> RemoteIntake:
        """Takes entries."""
        return RemoteIntake(self.server)

    def export(self, seal_id: str, out: Path, *, redact: bool) -> Exported:
        """Write the bundle of a seal to a file."""
        path = f"/api/v1/seals/{quote(seal_id, safe='')}/export?redact={str(redact).lower()}"
        try:
            return Exported(**self.server.fetch(path, out))
        except OSError as error:
            raise BadInput(f"cannot write {out}: {error.strerror}; name a file where there is room") from None


def _hold(document: Mapping[str, Any]) -> Hold:
    return Hold(**{**document, "releasers": tuple(document["releasers"])})


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(16)}


def _error(answer: Answer) -> AndonError:
    text = answer.detail
    for each in answer.document.get("lines", ())[:1]:
        text += f"; the first is line {each['line']} of its batch: {each['reason']}"
    kind = _ERRORS.get(str(answer.document.get("title")), Unavailable)
    return kind(text)
