"""The journal: each command that changed something is one entry of a log; the tables are a fold of it.

A row of the database and an entry of the ledger hold the same bytes. Text about people is not in them: the entry
commits to it, and the text itself is kept beside, encrypted, so that it can be erased.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

from andon.base.errors import Conflict, Tampered
from andon.base.fold import Change, Fold, Posting, State, apply
from andon.ledger.entry import SALT_BYTES, commitment, make_entry, parse_header
from andon.ledger.merkle import leaf_hash

ERASED: Final = "erased"
"""What a text reads as once its key is gone."""
COLUMNS: Final = ("seq", "stream", "stream_version", "request_id")


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody outside is to be told, once the entry it comes from is in the ledger."""

    recipient: str
    body: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What a command establishes.

    Attributes:
        kind: what happened, in the past: `token_created`.
        stream: what it happened to; two commands on one stream cannot both build on the same state.
        actor: who did it, as a pseudonym.
        data: fields of the entry; no text about people, no floats.
        private: text that the entry only commits to.
        messages: for outsiders.
    """

    kind: str
    stream: str
    actor: str
    data: Mapping[str, Any]
    private: Mapping[str, str] = field(default_factory=dict)
    messages: Sequence[Message] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as the database keeps it."""

    seq: int
    stream: str
    stream_version: int
    request_id: str
    entry: bytes
    leaf: bytes

    def checked(self) -> dict[str, Any]:
        """The fields of the entry.

        Raises:
            Tampered: the row's columns and bytes do not belong together.
        """
        if leaf_hash(self.entry) != self.leaf:
            raise Tampered(f"row {self.seq} of the table journal was changed: its entry is not the recorded one")
        fields = parse_header(self.entry)
        for name in COLUMNS:
            if fields.get(name) != getattr(self, name):
                raise Tampered(f"row {self.seq} of the table journal was changed: its column {name} is not its entry's")
        return fields


class View(Protocol):
    """The tables as a command sees them."""

    def find(self, table: str, key: str) -> dict[str, Any] | None:
        """One row; None where there is none."""
        ...

    def list_rows(
        self, table: str, where: Mapping[str, Any] | None = None, page: "Page | None" = None
    ) -> list[dict[str, Any]]:
        """The rows whose columns have these values (of a tuple: one of them), by key; all of them, or one page."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        limit: so many rows at most.
        after: begin behind this value of the column `by`.
        is_newest_first: go downwards.
        by: the column that orders.
    """

    limit: int
    after: Any = None
    is_newest_first: bool = False
    by: str = "id"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do once: `decide` looks at the tables and says what is established, or raises.

    `is_alone`: nothing else is recorded between the look and the entry. For what rests on more than its own stream,
    such as the next number of the year; it makes other commands wait, so a decision that needs it is short.
    `begins`: the stream that it will begin, where that is known: what its texts need is made before its turn comes.
    """

    request_id: str
    decide: Callable[[View], Fact]
    is_alone: bool = False
    begins: str | None = None


class RequestName(str):
    """The id of a request that its sender chose, with a digest of what it asks for.

    The entry keeps the digest, so that the same id for something else is refused.
    """

    __slots__ = ("content",)
    content: str

    def __new__(cls, name: str, content: str) -> Self:
        """A name with its digest, which says nothing to whoever does not know what was asked for."""
        made = super().__new__(cls, name)
        made.content = content
        return made


def require_same(request_id: str, fields: Mapping[str, Any]) -> None:
    """Whether a request asks for what the entry of its id, by its fields, was made for.

    Raises:
        Conflict: it asks for something else.
    """
    asked, known = content_of(request_id), fields.get("content")
    if asked is not None and known is not None and asked != known:
        raise Conflict(
            f"this Idempotency-Key was sent before with another body, which made {fields['stream']}: send a new key for"
            " another request, or the same body again"
        )


def content_of(request_id: str) -> str | None:
    """The digest of what a request asks for, if its sender chose its id."""
    return request_id.content if isinstance(request_id, RequestName) else None


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry of a command; `was_done` says that an earlier request with this id made it."""

    seq: int
    fact: Fact
    was_done: bool = False


class Journal(View, Protocol):
    """The port; its guarantee: what `commit` returned for is durable, once, whole, and will be in the ledger."""

    def commit(self, command: Command) -> Committed:
        """Decide and record in one transaction.

        Raises:
            Conflict: others changed the same thing, three times over; or this request asked for something else before.
        """
        ...

    def commit_all(self, commands: Sequence[Command]) -> Sequence[Committed | Exception]:
        """Do commands that came together, in this order; what came of each: done, or what `commit` had raised."""
        ...

    def integrate(self, seq: int) -> None:
        """Return when the ledger holds the entry.

        Raises:
            Unavailable: it takes too long.
        """
        ...

    def messages(self, recipient: str) -> Sequence[tuple[str, Message]]:
        """What a recipient has not been told yet, oldest first: id and message."""
        ...

    def mark(self, message_id: str) -> None:
        """A message reached its recipient; its text is forgotten."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact lands: its number, its stream's version, when, and under which request."""

    seq: int
    stream_version: int
    request_id: str
    at: str


def make_row(fact: Fact, place: Place, salts: Mapping[str, bytes]) -> Row:
    """The row of a fact; `salts` has 16 random bytes for each private text."""
    fields: dict[str, Any] = {
        "kind": fact.kind,
        "at": place.at,
        "actor": fact.actor,
        "stream": fact.stream,
        "stream_version": place.stream_version,
        "request_id": place.request_id,
        "seq": place.seq,
        "data": dict(fact.data),
    }
    if (content := content_of(place.request_id)) is not None:
        fields["content"] = content
    if fact.private:
        fields["private"] = {name: commitment(salts[name], text.encode()) for name, text in fact.private.items()}
    entry = make_entry(fields).header
    return Row(place.seq, fact.stream, place.stream_version, str(place.request_id), entry, leaf_hash(entry))


def posting_of(fields: Mapping[str, Any], texts: Mapping[str, bytes | None]) -> Posting:
    """What a fold reads of an entry.

    Args:
        fields: of the entry.
        texts: salt and text of each private name; None where it was erased.

    Raises:
        Tampered: a text is not the one that the entry commits to, or is missing without a trace.
    """
    private = {}
    for name, promised in fields.get("private", {}).items():
        if name not in texts:
            raise Tampered(f"the text {name} of journal entry {fields['seq']} is missing in the table journal_payload")
        private[name] = ERASED if (kept := texts[name]) is None else _opened(fields["seq"], name, kept, promised)
    named = {name: fields[name] for name in ("kind", "stream", "at", "actor", "data", "seq")}
    return Posting(**named, private=private)


def _opened(seq: int, name: str, kept: bytes, promised: str) -> str:
    salt, text = kept[:SALT_BYTES], kept[SALT_BYTES:]
    if commitment(salt, text) != promised:
        raise Tampered(f"the text {name} of journal entry {seq} is not the one that the entry commits to")
    return text.decode()


def fold_into(state: State, posting: Posting, folds: Mapping[str, Fold]) -> Sequence[Change]:
    """Fold one posting; returns its changes.

    Raises:
        Tampered: this version knows no such kind.
    """
    fold = folds.get(posting.kind)
    if fold is None:
        raise Tampered(f"the journal holds a {posting.kind}, which this version does not know: run a newer andon")
    changes = fold(posting)
    apply(state, changes)
    return changes


def compare(folded: State, tables: State) -> None:
    """Whether tables are what the journal says.

    Raises:
        Tampered: a row was changed, added or removed by another way; it is named.
    """
    for (table, key), values in folded.items():
        if tables.get((table, key)) != values:
            what = "was changed" if (table, key) in tables else "is missing"
            raise Tampered(f"row {key} of the table {table} {what}: the journal says otherwise; run `andon doctor`")
    for table, key in tables:
        if (table, key) not in folded:
            raise Tampered(f"row {key} of the table {table} is not from the journal; run `andon doctor`")
