"""Seals, holds, bundles, proofs, checkpoints."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from andon.base.errors import BadInput, Denied, Tampered
from andon.bootstrap.settings import people_needed
from andon.interfaces.api.bodies import (
    Checkpoint,
    Compared,
    Holds,
    HoldShown,
    NoteAsked,
    Proof,
    ReleaseAsked,
    RetentionAsked,
    RetentionDone,
    SealAsked,
    SealMade,
)
from andon.interfaces.api.guard import Caller, Here, RequestId
from andon.interfaces.api.problems import PROBLEMS
from andon.people.token import LOCAL, Token
from andon.services.audit import Case

ROUTER = APIRouter(prefix="/api/v1", tags=["evidence"], responses=PROBLEMS)
CHUNK_BYTES = 1 << 20


@ROUTER.post("/seals", status_code=201, operation_id="audit.seal")
def make_seal(asked: SealAsked, caller: Caller, house: Here, request: RequestId) -> SealMade:
    """Hold a model's events and sign a checkpoint over the log."""
    if not caller.covers(asked.model_id):
        limits = ", ".join(caller.models)
        raise Denied(f"this token is limited to {limits} and may not seal {asked.model_id}: use one for that model")
    _require_local(caller, asked.facts)
    case = Case(asked.model_id, asked.since, asked.until, asked.reason, asked.facts or {})
    made = house.audit(caller.id).seal(case, request)
    return SealMade(
        seal_id=made.seal_id,
        checkpoint=made.note,
        size=made.size,
        root=made.root,
        entry=made.seq,
        vkey=house.signer.verifier.vkey(),
        other_logs=dict(made.others),
        model_known=made.is_known,
    )


@ROUTER.get("/seals", operation_id="audit.holds")
def list_seals(caller: Caller, house: Here) -> Holds:
    """All holds, released ones too."""
    found = [hold for hold in house.audit(caller.id).holds() if caller.covers(hold.model_id)]
    return Holds(items=[HoldShown(**asdict(hold)) for hold in found])


@ROUTER.post("/seals/{seal_id}/release", operation_id="audit.release")
def release_seal(seal_id: str, asked: ReleaseAsked, caller: Caller, house: Here) -> HoldShown:
    """Ask for a hold's release; it ends once two different people have asked (ANDON_APPROVAL)."""
    _require_local(caller, asked.by)
    by = asked.by or caller.name
    return HoldShown(**asdict(house.audit(caller.id).release(seal_id, by, asked.reason, people_needed())))


@ROUTER.post("/seals/{seal_id}/export", operation_id="export.export", response_class=StreamingResponse)
def export_seal(seal_id: str, caller: Caller, house: Here, *, redact: bool = False) -> StreamingResponse:
    """The bundle of a seal, as a zip; `redact` leaves the payloads out."""
    with ExitStack() as stack:
        path, done = stack.enter_context(house.export(caller.id, seal_id, redact=redact))
        opened = stack.pop_all()

    def chunks() -> Iterator[bytes]:
        with opened, path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    headers = {"Content-Disposition": f'attachment; filename="{path.name}"', "Andon-Exported": json.dumps(asdict(done))}
    return StreamingResponse(chunks(), media_type="application/zip", headers=headers)


@ROUTER.post("/retention", operation_id="retain.retain")
def retain_entries(asked: RetentionAsked, caller: Caller, house: Here, request: RequestId) -> RetentionDone:
    """Delete this server's oldest segments, up to the first that is younger or that a hold of any server covers."""
    if caller.models:
        raise Denied("this token is limited to models, and a segment holds decisions of all: use one without a limit")
    done = house.retain(caller.id).retain(asked.days, request, dry_run=asked.dry_run)
    segment, seal_id = done.held or (None, None)
    return RetentionDone(
        entries=done.entries, segments=done.segments, first=done.first, held_segment=segment, held_by=seal_id
    )


def _require_local(caller: Token, what: object) -> None:
    """What a command on this machine may say, as it could do it without the server."""
    if what is not None and caller.id != LOCAL:
        raise Denied("facts and by are for commands on the server's own machine: leave them out")


@ROUTER.get("/entries/{entry}/proof", operation_id="audit.prove")
def prove_entry(entry: str, caller: Caller, house: Here) -> Proof:
    """The proof that an entry (its number, or an event's id) is in the log; with its salt for who may send events."""
    opened = house.permissions.allows(caller.role, "ingest.accept")
    return Proof(**house.audit(caller.id).prove(entry, opened=opened))


@ROUTER.get("/checkpoint", operation_id="audit.latest")
def latest_checkpoint(
    caller: Caller, house: Here, since: Annotated[int | None, Query(ge=1, lt=2**53)] = None
) -> Checkpoint:
    """The newest checkpoint, and the proof that the log only grew since it had a size."""
    found: dict[str, Any] = house.audit(caller.id).latest(since)
    return Checkpoint(**found)


@ROUTER.post("/checkpoint/compare", operation_id="audit.compare")
def compare_checkpoint(asked: NoteAsked, caller: Caller, house: Here) -> Compared:
    """Whether the log still begins with what a checkpoint covers."""
    try:
        note = asked.checkpoint.encode()
        house.signer.verifier.open(note)
    except (UnicodeEncodeError, Tampered):
        raise BadInput("this is no checkpoint that this log signed: send it as it was given, line breaks too") from None
    return Compared(size=house.audit(caller.id).compare(note))
