"""Recording: events become entries, a batch at a time; a batch is taken whole or not at all."""

import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from itertools import count as counted
from typing import Final, Protocol

import msgspec
import orjson
from msgspec import UNSET

from andon.base.errors import BadInput
from andon.ledger.checkpoint import Checkpoint
from andon.ledger.entry import ENTRY_BYTES_MAX, SALT_BYTES, VERSION, Entry, EventHeader, commitments, make_entry
from andon.telemetry.event import Event, parse_event, parse_events
from andon.telemetry.event_refusal import refusal_of
from andon.telemetry.producer import Range
from andon.telemetry.readable import require_readable

BATCH_EVENTS = 1_000
BATCH_BYTES_MAX = 16 << 20
EVENT_BYTES_MAX = 1 << 20
BAD_LINES_SHOWN = 20
CHECKPOINT_SECONDS = 1.0
TIME_SHOWN = 60
HEADER_ROOM = 400
"""What a header takes besides its names."""

Now = Callable[[], datetime]
Chance = Callable[[int], bytes]
_UTC_LETTERS: Final = len("2026-02-09T06:00:00.000000Z")
_LIKE: Final = "write it like 2026-02-09T06:00:00Z"
_UTC_SIGNS: Final = ((4, "-"), (7, "-"), (10, "T"), (19, "."), (26, "Z"))
_encode = msgspec.json.Encoder().encode_lines


SENDER: Final = "local"
"""Who records on the machine itself, where HTTP has a token's id."""


class Intake(Protocol):
    """Appends entries, none of a producer twice."""

    def taken(self, place: Range) -> int:
        """How many lines of a producer are recorded.

        Raises:
            Conflict: they begin with another line than the producer's.
        """
        ...

    def take(self, entries: Sequence[Entry], sender: str, place: Range | None) -> int:
        """Append entries that stand at a place among their producer's lines; how many of them were recorded before."""
        ...


class Growing(Protocol):
    """What recording asks of a log besides its intake."""

    @property
    def size(self) -> int:
        """How many entries are durable."""
        ...

    def append(self, entries: Sequence[Entry]) -> int:
        """Make entries durable."""
        ...

    def checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Sign a checkpoint over all entries."""
        ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded: events, how many the log had already, the numbers `[first, end)` that the new ones lie in."""

    events: int
    repeated: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Record:
    """Writes events to a log.

    Attributes:
        log: where to.
        now: the time; a claim that each entry carries.
        chance: so many random bytes.
        watch: shown the events of each batch that is sound, before it is durable.
    """

    log: Growing
    now: Now
    chance: Chance
    watch: Callable[[Sequence[Event]], None] | None = None

    def record(
        self,
        lines: Iterable[bytes],
        intake: Intake,
        tell: Callable[[int], None] | None = None,
        producer: str | None = None,
    ) -> Recorded:
        """Append all events; each batch is durable before the next is read.

        Args:
            lines: one event each, as JSON.
            intake: takes the entries of a batch, and knows what it took of a producer.
            tell: told now and then how many are durable.
            producer: whose lines these are, always from its first on; those that the log has of it are left out.

        Raises:
            BadInput: a batch holds a line that is no event; that batch is not recorded, those before it are.
            Conflict: what is recorded of the producer begins with another line.
        """
        first, count, signed_at = self.log.size, 0, self.now()
        batches = _batches(lines)
        head, of_head = next(batches, ([], []))
        start = Range(producer, 0, 0, sha256(head[0]).hexdigest()) if producer is not None and head else None
        before, known = signed_at, 0 if start is None else intake.taken(start)
        repeated = 0
        for batch, numbers in chain([(head, of_head)] if head else [], batches):
            new = batch[max(0, known - count) :]
            count += len(batch)
            if not new:
                continue
            try:
                entries = self.entries(new, numbers[-len(new) :])
            except BadInput as error:
                kept = count - len(batch)
                said = f"the {kept:,} before this batch are recorded" if kept else "nothing was recorded"
                raise BadInput(f"{error}; {said}") from None
            if self.now() < before:
                self.log.append([make_entry({"kind": "clock_step", "at": _utc(self.now()), "before": _utc(before)})])
            before = self.now()
            place = None if start is None else replace(start, first=count - len(new))
            repeated += intake.take(entries, SENDER, place)
            if abs((self.now() - signed_at).total_seconds()) >= CHECKPOINT_SECONDS:
                self.log.checkpoint()
                signed_at = self.now()
            if tell is not None:
                tell(count)
        self.log.checkpoint()
        repeated += min(count, known)
        return Recorded(count - repeated, repeated, first, self.log.size)

    def entries(self, lines: Sequence[bytes], numbers: Sequence[int] = ()) -> list[Entry]:
        """The entries of a batch, whose lines have these numbers where they come from.

        Raises:
            BadInput: lines of it are no events; the first twenty are named.
        """
        at, drawn = _utc(self.now()), self.chance(SALT_BYTES * len(lines))
        salts = struct.unpack(f"{SALT_BYTES}s" * len(lines), drawn)
        try:
            headers, events = _headers(lines, at, salts)
        except ValueError:
            check_lines(lines, numbers)
            raise
        if self.watch is not None:
            self.watch(events)
        return list(map(Entry, headers, salts, lines))


def _headers(lines: Sequence[bytes], at: str, salts: Sequence[bytes]) -> tuple[list[bytes], list[Event]]:
    sizes = list(map(len, lines))
    longest = max(sizes)
    if longest > EVENT_BYTES_MAX:
        raise ValueError("a line is over the limit")
    require_readable(lines, longest)
    events = parse_events(lines)
    ids, times = [event.id for event in events], utc_texts([event.ts for event in events])
    if any(map(str.isspace, ids)) or any(map(str.isspace, {event.model_id for event in events})):
        raise ValueError("a name is blank")
    made = [
        EventHeader(at, c, name, e.kind, e.model_id, e.model_version or UNSET, n, ts, VERSION)
        for c, e, name, n, ts in zip(commitments(salts, lines), events, ids, sizes, times, strict=True)
    ]
    headers = _encode(made).split(b"\n")[:-1]  # inside JSON text a line's end is escaped
    if max(map(len, headers)) > ENTRY_BYTES_MAX:
        raise ValueError("a header is over the limit")
    return headers, events


def check_lines(lines: Iterable[bytes], numbers: Sequence[int] = ()) -> None:
    """Refuse lines that are no events, by their numbers, else counted from 1. A line of white space is nothing.

    Raises:
        BadInput: the first twenty are named.
    """
    bad, count = [], 0
    for number, line in zip(numbers or counted(1), lines, strict=False):
        try:
            if not line.isspace():
                _check_line(line)
        except ValueError as error:
            count += 1
            if count <= BAD_LINES_SHOWN:
                bad.append(f"line {number}: {refusal_of(line, error)}")
    if bad:
        more = f" … and {count - BAD_LINES_SHOWN} more" if count > BAD_LINES_SHOWN else ""
        told = "1 line is no event" if count == 1 else f"{count:,} lines are no events"
        raise BadInput(f"{told}: {'; '.join(bad)}{more}")


def _check_line(line: bytes) -> None:
    if len(line) > EVENT_BYTES_MAX:
        raise ValueError("is over the limit of 1 MiB: leave some of its inputs out")
    require_readable([line], len(line))
    event = parse_event(line)
    utc_text(event.ts)
    names = [event.id, event.model_id, event.model_version or ""]
    if len(orjson.dumps(names)) > ENTRY_BYTES_MAX - HEADER_ROOM:
        raise ValueError(f"has names that make its header longer than it may be, over {ENTRY_BYTES_MAX} bytes")


def utc_texts(texts: Sequence[str]) -> Sequence[str]:
    """`utc_text` of each; looked at together where all have that form already, as they mostly do."""
    whole = "".join(texts)
    if set(map(len, texts)) != {_UTC_LETTERS} or any(
        whole[at::_UTC_LETTERS] != sign * len(texts) for at, sign in _UTC_SIGNS
    ):
        return list(map(utc_text, texts))
    try:
        deque(map(datetime.fromisoformat, texts), maxlen=0)  # a loop of C, which raises where one is no time
    except ValueError:
        return list(map(utc_text, texts))
    return texts


def utc_text(text: str) -> str:
    """A time with a zone as UTC text of one form, so that times compare as texts do."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        why = "" if "isoformat" in str(error) else f" ({error})"  # such as: hour must be in 0..23
        raise ValueError(f"ts {_shown(text)} is no time{why}: {_LIKE}") from None
    if at.tzinfo is None:
        raise ValueError(f"ts {_shown(text)} has no zone: {_LIKE}")
    try:
        return _utc(at)
    except OverflowError:
        raise ValueError(f"ts {_shown(text)} lies outside the years 1 to 9999: mend it") from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= TIME_SHOWN else f"{text[:TIME_SHOWN]}…")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _batches(lines: Iterable[bytes]) -> Iterator[tuple[list[bytes], list[int]]]:
    """Up to 1,000 events or 16 MiB, and the numbers of their lines."""
    batch, numbers, size = list[bytes](), list[int](), 0
    for number, line in enumerate(map(bytes.strip, lines), 1):
        if not line:
            continue
        if batch and size + len(line) > BATCH_BYTES_MAX:
            yield batch, numbers
            batch, numbers, size = [], [], 0
        batch.append(line)
        numbers.append(number)
        size += len(line)
        if len(batch) == BATCH_EVENTS:
            yield batch, numbers
            batch, numbers, size = [], [], 0
    if batch:
        yield batch, numbers
