"""Recording: events become entries, a batch at a time; a batch is taken whole or not at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from andon.base.errors import BadInput
from andon.ledger.entry import SALT_BYTES, Entry, make_entry
from andon.ledger.log import Log
from andon.telemetry.event import parse_event

BATCH_EVENTS = 1_000
EVENT_BYTES_MAX = 1 << 20
BAD_LINES_SHOWN = 20
CHECKPOINT_SECONDS = 1.0

Now = Callable[[], datetime]
Chance = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded: events, and the numbers `[first, end)` of the log that they lie in."""

    events: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Record:
    """Writes events to a log.

    Attributes:
        log: where to.
        now: the time; a claim that each entry carries.
        chance: so many random bytes.
    """

    log: Log
    now: Now
    chance: Chance

    def record(self, lines: Iterable[bytes], tell: Callable[[int], None] | None = None) -> Recorded:
        """Append all events; each batch is durable before the next is read.

        Args:
            lines: one event each, as JSON.
            tell: told now and then how many are durable.

        Raises:
            BadInput: a batch holds a line that is no event; that batch is not recorded, those before it are.
        """
        first, count, signed_at = self.log.size, 0, self.now()
        before = signed_at
        for batch in _batches(lines):
            try:
                entries = self.entries(batch, count)
            except BadInput as error:
                kept = f"the {count:,} before this batch are recorded" if count else "nothing was recorded"
                raise BadInput(f"{error}; {kept}") from None
            if self.now() < before:
                self.log.append([make_entry({"kind": "clock_step", "at": _utc(self.now()), "before": _utc(before)})])
            before = self.now()
            self.log.append(entries)
            count += len(batch)
            if abs((self.now() - signed_at).total_seconds()) >= CHECKPOINT_SECONDS:
                self.log.checkpoint()
                signed_at = self.now()
            if tell is not None:
                tell(count)
        self.log.checkpoint()
        return Recorded(count, first, self.log.size)

    def entries(self, lines: Sequence[bytes], before: int = 0) -> list[Entry]:
        """The entries of a batch; `before` lines came earlier.

        Raises:
            BadInput: lines of it are no events; the first twenty are named.
        """
        at = _utc(self.now())
        salts = self.chance(SALT_BYTES * len(lines))
        made, bad = [], []
        for number, line in enumerate(lines):
            try:
                made.append(_entry(line, at, salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]))
            except ValueError as error:
                bad.append(f"line {before + number + 1}: {error}")
        if bad:
            more = f" … and {len(bad) - BAD_LINES_SHOWN} more" if len(bad) > BAD_LINES_SHOWN else ""
            raise BadInput(f"{len(bad)} lines are no events: {'; '.join(bad[:BAD_LINES_SHOWN])}{more}")
        return made


def check_lines(lines: Iterable[bytes]) -> None:
    """Refuse events before any is recorded.

    Raises:
        BadInput: lines are no events; the first twenty are named.
    """
    bad, count = [], 0
    for number, line in enumerate(lines, 1):
        try:
            _parsed(line)
        except ValueError as error:
            count += 1
            if count <= BAD_LINES_SHOWN:
                bad.append(f"line {number}: {error}")
    if bad:
        more = f" … and {count - BAD_LINES_SHOWN} more" if count > BAD_LINES_SHOWN else ""
        raise BadInput(f"{count} lines are no events: {'; '.join(bad)}{more}; nothing was recorded")


def utc_text(text: str) -> str:
    """A time with a zone as UTC text of one form, so that times compare as texts do."""
    if len(text) == 27 and text.endswith("Z") and text[19] == ".":  # noqa: PLR2004  # already of that form
        datetime.fromisoformat(text)
        return text
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"ts {text!r} has no zone: write it like 2026-02-09T06:00:00Z")
    try:
        return _utc(at)
    except OverflowError:
        raise ValueError(f"ts {text!r} lies outside the years 1 to 9999") from None


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parsed(line: bytes) -> dict[str, object]:
    if len(line) > EVENT_BYTES_MAX:
        raise ValueError(f"is {len(line):,} bytes, over the limit of 1 MiB")
    try:
        kind, event = parse_event(line)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    fields: dict[str, object] = {"kind": kind, "id": event.id, "ts": utc_text(event.ts), "model_id": event.model_id}
    if event.model_version is not None:
        fields["model_version"] = event.model_version
    return fields


def _entry(line: bytes, at: str, salt: bytes) -> Entry:
    fields = _parsed(line)
    fields["at"] = at
    return make_entry(fields, salt, line)


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    stripped = (line.strip() for line in lines)
    source = (line for line in stripped if line)
    while batch := list(islice(source, BATCH_EVENTS)):
        yield batch
