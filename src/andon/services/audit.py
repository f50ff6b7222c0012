"""Audit: seal, hold, release, prove, and compare with what was signed before."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from andon.base.errors import BadInput, NotFound, Refused
from andon.base.ids import new_id
from andon.evidence.custody import RELEASES, Act, Custody
from andon.evidence.hold import HOLD_KINDS, Hold, get_hold, holds_of, person_of, released, require_text, written
from andon.inventory.register import configuration_of
from andon.ledger.checkpoint import Checkpoint, Verifier
from andon.ledger.entry import Entry
from andon.ledger.journal import View
from andon.ledger.log import Log
from andon.ledger.merkle import (
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    range_root,
    root_from_inclusion,
)
from andon.ledger.proof import broken_tree, require_grown

NUMBER_DIGITS: Final = 19
"""So many has the largest number of an entry."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be sealed: a model's events in `[since, until)` (None: no bound), why, and what it rests on."""

    model_id: str
    since: datetime | None
    until: datetime | None
    reason: str
    pinned: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal: its hold is entry `seq`, covered by the signed `note`.

    `others` are the other logs of the installation, with how many entries their checkpoints, which it pins, cover.
    `is_known` is False where no decision of the model is known to be recorded: its name may be mistyped.
    """

    seal_id: str
    seq: int
    size: int
    root: str
    note: str
    others: Mapping[str, int] = field(default_factory=dict)
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class OtherLog:
    """The newest checkpoint of another log of the installation."""

    log: str
    size: int
    note: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The custody of one log; what it does stands in the journal and in the log."""

    log: Log
    verifier: Verifier
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    custody: Custody
    versions: Callable[[str], Sequence[Mapping[str, Any]]] = lambda _: ()
    """Which versions of a model answered, as far as is known without reading the log."""
    others: Callable[[], Sequence[OtherLog]] = tuple
    """The other logs of the installation: a model's events may stand in them too."""

    def seal(self, case: Case, request: str | None = None) -> Sealed:
        """Hold a case's events and sign a checkpoint over all that is recorded; the work does not grow with the log.

        The hold pins the model's versions and configuration as they are known now, and the newest checkpoints of the
        other logs: retention spares what it covers there too, and what is in them by then cannot change unseen. Their
        entries are in no bundle of this seal.

        Args:
            case: what is to be sealed.
            request: an id of the request; the same again is answered with the seal that it made.

        Raises:
            BadInput: the model or the reason says nothing, or the span ends before it begins.
        """
        require_text(case.model_id, "the model's id", "the id that its events carry")
        require_text(case.reason, "the reason", "why it is held, such as an incident's id")
        if case.since is not None and case.until is not None and case.until <= case.since:
            raise BadInput("--until is not after --since: give a later time")
        at = self.now()
        seal_id = new_id("seal", at, self.chance(10))
        window = {"since": _text(case.since), "until": _text(case.until)}
        header = {"kind": "hold", "id": seal_id, "at": _text(at), "model_id": case.model_id, **window}
        where = {"log": self.verifier.name, "checkpoint_size": self.log.size}
        data = {"seal_id": seal_id, "model_id": case.model_id, **window, **where}
        others = self.others()
        payload = {"reason": case.reason, "model": self._model(case.model_id), **case.pinned}
        payload |= {"other_logs": [asdict(each) for each in others]} if others else {}
        act = Act("seal_made", seal_id, header, payload, data, {"reason": case.reason})
        entered = self.custody.enter(lambda _: act, request)
        seq = entered.seq if entered.seq is not None else get_hold(self.holds(), entered.about).seq
        point, note = self.log.checkpoint()
        root = base64.b64encode(point.root).decode()
        sizes, is_known = {each.log: each.size for each in others}, bool(self.versions(case.model_id))
        return Sealed(entered.about, seq, point.size, root, note.decode(), sizes, is_known)

    def _model(self, model_id: str) -> dict[str, Any]:
        """The model as it stands: the versions that answered, and its configuration."""
        known = configuration_of(self.custody.journal, model_id)
        return {"id": model_id, "versions": list(self.versions(model_id)), **known}

    def holds(self) -> list[Hold]:
        """All holds, released ones too."""
        return holds_of(self.log.of_kinds(HOLD_KINDS))

    def release(self, seal_id: str, by: str, reason: str, needs: int) -> Hold:
        """Ask for a hold's release; it is released once `needs` different people have asked.

        A name is one person's however it is written: in any case, with any white space.

        Raises:
            BadInput: the name or the reason says nothing.
            Refused: it is released already, or this person has asked before.
        """
        by = written(by, "the name of who asks", "a name, such as ada")
        reason = written(reason, "the reason", "why the hold may end")
        hold = get_hold(self.holds(), seal_id)
        if hold.is_released:
            raise Refused(f"the hold of {seal_id} is released already")
        header = {"kind": "release", "id": seal_id, "at": _text(self.now()), "needs": needs}
        told = {"by": by, "reason": reason}

        def decide(view: View) -> Act:
            people = set(map(person_of, (*hold.releasers, *_askers(view, seal_id))))
            if person_of(by) in people and len(people) < needs:
                raise Refused(
                    f"{by} has asked for the release of {seal_id} already: another person has to ask for it too"
                )
            is_released = len(people | {person_of(by)}) >= needs
            data = {"seal_id": seal_id, "nth": len(_askers(view, seal_id)) + 1, "is_released": is_released}
            return Act("release_asked", seal_id, header, told, data, told)

        self.custody.enter(decide)
        self.log.checkpoint()
        return released(hold, by, needs)

    def prove(self, name: str, *, opened: bool = False) -> dict[str, Any]:
        """The proof that an entry (its number, or an event's id) is in the log, as a document.

        With the salt (`opened`) whoever has the payload can check that it is the one; it is for whoever sent it, since
        with it a payload can also be guessed.
        """
        seq, entry = self._find(name)
        point, note = self.log.checkpoint()
        leaf = leaf_hash(entry.header)
        proof = inclusion_proof(self.log.nodes(), seq, point.size)
        if root_from_inclusion(leaf, seq, point.size, proof) != point.root:
            raise broken_tree(self.log, f"entry {seq}")
        return {
            "schema": "andon.proof/1",
            "seq": seq,
            "size": point.size,
            "header": entry.header.decode(),
            "leaf": leaf.hex(),
            "proof": [step.hex() for step in proof],
            "checkpoint": note.decode(),
            "vkey": self.verifier.vkey(),
            **({"salt": entry.salt.hex()} if opened else {}),
        }

    def latest(self, since: int | None = None) -> dict[str, Any]:
        """The newest checkpoint as a document, with the proof that the log only grew since it had a size."""
        point, note = self.log.checkpoint()
        if since is not None and not 0 < since <= point.size:
            raise BadInput(f"since={since} is no earlier size of a log of {point.size}: give the size of a checkpoint")
        proof = [] if since is None else self._consistency(since, point)
        steps = [step.hex() for step in proof]
        return {"size": point.size, "checkpoint": note.decode(), "vkey": self.verifier.vkey(), "consistency": steps}

    def _consistency(self, since: int, point: Checkpoint) -> list[bytes]:
        nodes = self.log.nodes()
        proof = consistency_proof(nodes, since, point.size)
        if not is_consistent((since, range_root(nodes, 0, since)), (point.size, point.root), proof):
            raise broken_tree(self.log, f"what the log had at {since} entries")
        return proof

    def _find(self, name: str) -> tuple[int, Entry]:
        is_number = name.isascii() and name.isdigit() and len(name) <= NUMBER_DIGITS
        if is_number and int(name) < self.log.size:
            seq, entry = next(self.log.read(int(name)))
            if seq != int(name):
                raise NotFound(f"entry {name} was deleted by retention; the log begins at {seq}")
            return seq, entry
        is_text = name.encode(errors="replace").decode() == name
        found = self.log.find(name) if is_text else None
        if found is None:
            raise NotFound(f"no entry {name} in a log of {self.log.size}: name a smaller number, or an event's id")
        return found

    def compare(self, note: bytes) -> int:
        """Whether the log still begins with what a checkpoint signed; returns its size.

        Raises:
            Tampered: the log is shorter than it, or has another root at its size.
        """
        old = self.verifier.open(note)
        require_grown(self.log.nodes(), self.log.size, old)
        return old.size


def _askers(view: View, seal_id: str) -> list[str]:
    """Who asked for a release so far, by the journal."""
    return [row["by"] for row in view.list_rows(RELEASES) if row["seal_id"] == seal_id]


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
