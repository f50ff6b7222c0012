"""Producers: each numbers what it sends, so that what it sends again is known."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from andon.base.errors import Conflict

PRODUCERS_MAX: Final = 100_000
KEY_PREFIX: Final = "key:"
"""Starts the name of a producer that is a single request with an Idempotency-Key."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def is_name(text: str) -> bool:
    """Whether a producer may call itself so."""
    return _NAME.fullmatch(text) is not None and not text.startswith(KEY_PREFIX)


@dataclass(frozen=True, slots=True)
class Range:
    """The place of a request among the lines of a producer.

    Attributes:
        producer: its name, chosen by itself, without meaning.
        epoch: grows when the producer starts to count anew; an older one is refused.
        first: the number of the request's first line, from 0.
        digest: SHA-256 of the request, where a key means one content; else of the producer's first line, where who
            sends says it: other lines under the same name are no repetition.
    """

    producer: str
    epoch: int
    first: int
    digest: str | None = None


@dataclass(slots=True)
class Position:
    """Where a producer is: its epoch, the number it sends next, when it sent last, the digest of what it sent."""

    epoch: int
    next: int
    at: str
    digest: str | None = None


@dataclass(slots=True)
class Positions:
    """Where every producer is; the oldest is forgotten when there are too many."""

    _of: dict[str, Position] = field(default_factory=dict)

    def known(self, asked: Range, lines: int) -> int:
        """How many of a request's lines, from the first on, are recorded already.

        Raises:
            Conflict: lines before it are missing, or the producer counts in a newer epoch, or a key is used twice.
        """
        place = self._of.get(asked.producer)
        if place is None or asked.epoch > place.epoch:
            return 0
        if asked.epoch < place.epoch:
            raise Conflict(
                f"producer {asked.producer} counts in epoch {place.epoch}, this request in {asked.epoch}: another"
                " process took its place; start a new epoch"
            )
        _require_same(asked, place)
        if asked.first > place.next:
            raise Conflict(
                f"lines {place.next} to {asked.first - 1} of producer {asked.producer} are missing: send from"
                f" {place.next} on, or start a new epoch"
            )
        return min(lines, place.next - asked.first)

    def note(self, asked: Range, end: int, at: str) -> None:
        """Lines of a producer before `end` are recorded."""
        self._of.pop(asked.producer, None)
        self._of[asked.producer] = Position(asked.epoch, end, at, asked.digest)
        if len(self._of) > PRODUCERS_MAX:
            del self._of[next(iter(self._of))]

    def forget(self, keys_before: str) -> None:
        """Forget requests with a key that were sent before a time."""
        old = [name for name, place in self._of.items() if name.startswith(KEY_PREFIX) and place.at < keys_before]
        for name in old:
            del self._of[name]

    def document(self) -> dict[str, list[Any]]:
        """All of it, for a file."""
        return {name: [place.epoch, place.next, place.at, place.digest] for name, place in self._of.items()}


def _require_same(asked: Range, place: Position) -> None:
    if None in (asked.digest, place.digest) or asked.digest == place.digest:
        return
    if asked.producer.startswith(KEY_PREFIX):
        raise Conflict("this Idempotency-Key was used for other content: send new content under a new key")
    raise Conflict(
        f"what is recorded of producer {asked.producer} begins with another line, so these are not its lines sent"
        " again: send all of them from the first on, or give new ones a name of their own"
    )


def positions_from(document: Mapping[str, Iterable[Any]]) -> Positions:
    """What `document` gave."""
    return Positions({name: Position(*fields) for name, fields in document.items()})


@dataclass(slots=True)
class Learning:
    """Learns from a log's entries where producers are.

    Attributes:
        positions: what is known so far.
        pending: the last batch, whose events are still being counted; None before the first.
    """

    positions: Positions = field(default_factory=Positions)
    pending: Mapping[str, Any] | None = None
    _events: int = 0
    _after: int = 0

    def see(self, seq: int, fields: Mapping[str, Any]) -> None:
        """The next entry that is no event: its number and its header's fields."""
        self._count(seq)
        if fields["kind"] == "batch":
            self._note()
            self.pending, self._events = fields, 0

    def end(self, size: int) -> bool:
        """The log has so many entries; whether a crash cut its last batch."""
        self._count(size)
        self._note()
        return self.pending is not None and self._events < self.pending["events"]

    def _count(self, seq: int) -> None:
        self._events += seq - self._after
        self._after = seq + 1

    def _note(self) -> None:
        """Note what of a batch is in the log: all of it, or, where a crash cut it, the lines of its first events."""
        fields = self.pending
        if fields is None or "producer" not in fields:
            return
        place = Range(fields["producer"], fields["epoch"], fields["first"], fields.get("sha256"))
        holes = frozenset(fields.get("holes", ()))
        if self._events >= fields["events"]:
            end = fields["lines"]
        else:
            places = (place for place in range(fields["lines"]) if place not in holes)
            end = next(here for number, here in enumerate(places) if number == self._events)
        self.positions.note(place, place.first + end, fields["at"])
