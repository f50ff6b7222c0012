"""Custody: seal, release, export and deletion, entered in the journal and then in the log that they concern.

The journal comes first and carries what is still to do as a message, so that a crash between the two is made good by
`finish`: the log takes every act once.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from andon.base.fold import Change, Fold, Posting
from andon.ledger.entry import SALT_BYTES, make_entry, parse_header
from andon.ledger.journal import Command, Fact, Journal, Message, View
from andon.ledger.log import Log

DELETION: Final = "retention_delete"
KINDS: Final = ("hold", "release", "export", DELETION)
"""Kinds of the entries that acts of custody make."""
SEALS: Final = "seals"
EXPORTS: Final = "exports"
RELEASES: Final = "releases"


@dataclass(frozen=True, slots=True)
class Act:
    """An act of custody.

    Attributes:
        kind: of the fact: `seal_made`.
        about: the seal, or the log of which something is deleted.
        header, payload: of its entry in the log.
        data, private: of its fact beside those.
    """

    kind: str
    about: str
    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entered:
    """An act that both hold.

    Attributes:
        about: as in the act that was entered first.
        data: of its fact.
        seq: the number of its entry in the log; None: it was there before.
    """

    about: str
    data: Mapping[str, Any]
    seq: int | None


@dataclass(frozen=True, slots=True)
class Custody:
    """Enters acts in a journal and a log.

    Attributes:
        log, origin: where to, and its name.
        journal: where first.
        chance: so many random bytes.
        actor: who acts, as a pseudonym.
    """

    log: Log
    origin: str
    journal: Journal
    chance: Callable[[int], bytes]
    actor: str = "local"

    @property
    def recipient(self) -> str:
        """The log as a recipient of messages."""
        return f"log:{self.origin}"

    def enter(self, decide: Callable[[View], Act], request: str | None = None, *, is_alone: bool = False) -> Entered:
        """Enter an act once it is durable in both.

        Args:
            decide: says what, or refuses.
            request: an id of the request; one that was done is done no more.
            is_alone: nothing else is recorded between the decision and the entry.
        """
        request_id = request or f"act_{self.chance(16).hex()}"
        salt = base64.b64encode(self.chance(SALT_BYTES)).decode()
        after = self.log.size

        def fact(view: View) -> Fact:
            act = decide(view)
            body = {"after": after, "header": {**act.header, "request": request_id}, "payload": act.payload}
            message = Message(self.recipient, json.dumps({**body, "salt": salt}, ensure_ascii=False))
            return Fact(act.kind, act.about, self.actor, act.data, act.private, (message,))

        done = self.journal.commit(Command(request_id, fact, is_alone))
        self.journal.integrate(done.seq)
        if done.was_done:
            self.finish()
            return Entered(done.fact.stream, done.fact.data, None)
        return Entered(done.fact.stream, done.fact.data, self._tell(f"{done.seq}:0", done.fact.messages[0]))

    def finish(self) -> int:
        """Enter what a crash left between the journal and the log; returns how many acts."""
        left = self.journal.messages(self.recipient)
        for message_id, message in left:
            if self._is_entered(json.loads(message.body)):
                self.journal.mark(message_id)
            else:
                self._tell(message_id, message)
        if left:
            self.log.checkpoint()
        return len(left)

    def _tell(self, message_id: str, message: Message) -> int:
        body = json.loads(message.body)
        payload = json.dumps(body["payload"], ensure_ascii=False).encode()
        entry = make_entry(body["header"], base64.b64decode(body["salt"]), payload)
        seq = self.log.prune(entry) if body["header"]["kind"] == DELETION else self.log.append([entry])
        self.journal.mark(message_id)
        return seq

    def _is_entered(self, body: Mapping[str, Any]) -> bool:
        request = body["header"]["request"]
        acts = (entry.header for seq, entry in self.log.of_kinds(KINDS) if seq >= body["after"])
        return any(parse_header(header).get("request") == request for header in acts)


def seal_states(journal: View) -> list[dict[str, Any]]:
    """What the journal says of every seal."""
    return journal.list_rows(SEALS)


def _made(posting: Posting) -> Sequence[Change]:
    names = ("model_id", "since", "until", "log", "checkpoint_size")
    values = {name: posting.data[name] for name in names}
    values |= {"id": posting.stream, "reason": posting.private["reason"], "actor": posting.actor}
    return [Change(SEALS, posting.stream, {**values, "made_at": posting.at, "released_at": None})]


def _release_asked(posting: Posting) -> Sequence[Change]:
    key = f"{posting.stream}:{posting.data['nth']}"
    values = {"id": key, "seal_id": posting.stream, "actor": posting.actor, "asked_at": posting.at}
    changes = [Change(RELEASES, key, {**values, **{name: posting.private[name] for name in ("by", "reason")}})]
    if posting.data["is_released"]:
        changes.append(Change(SEALS, posting.stream, {"released_at": posting.at}))
    return changes


def _exported(posting: Posting) -> Sequence[Change]:
    key = f"{posting.stream}:{posting.data['export_id']}"
    values = {"id": key, "seal_id": posting.stream, "actor": posting.actor, "exported_at": posting.at}
    return [Change(EXPORTS, key, {**values, "redacted": int(posting.data["redacted"])})]


def _deleted(posting: Posting) -> Sequence[Change]:
    """What is deleted stands in the log itself; the entry says who asked for it."""
    del posting
    return ()


FOLDS: Final[Mapping[str, Fold]] = {
    "seal_made": _made,
    "release_asked": _release_asked,
    "seal_exported": _exported,
    "segments_deleted": _deleted,
}
