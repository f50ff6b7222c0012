"""Ingest: requests of events into the log, many at a time with one fsync, each whole or not at all, none twice."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from andon.base.errors import AndonError, BadInput, Denied
from andon.ledger.entry import CONTROL_KINDS, Entry, make_entry, parse_header
from andon.ledger.log import Log
from andon.telemetry.producer import Learning, Positions, Range, positions_from
from andon.telemetry.versions import Versions, versions_from
from andon.telemetry.vitals import ByVersion

EVENTS_MAX: Final = 10_000
BAD_LINES_SHOWN: Final = 20
AHEAD_MAX: Final = timedelta(hours=1)
"""A time of an event further ahead than this is a wrong clock."""
LINES_MAX: Final = 1 << 62
KEY_KEPT: Final = timedelta(hours=24)
_TS: Final = b'"ts":"'
_TS_START: Final = len(_TS)
_TS_LENGTH: Final = 27
_END: Final = b'","v":1}'
_TS_PLACE: Final = slice(-_TS_LENGTH - len(_END), -len(_END))
_TS_KEY: Final = slice(-_TS_LENGTH - len(_END) - len(_TS), -_TS_LENGTH - len(_END))


class BadLines(BadInput):
    """Lines of a request are no events; `lines` has the first twenty, as number and reason."""

    def __init__(self, count: int, lines: Sequence[tuple[int, str]]) -> None:
        told = "1 line is no event" if count == 1 else f"{count:,} lines are no events"
        super().__init__(f"{told}: nothing was recorded; mend or leave out the lines named, send the rest again")
        self.count, self.lines = count, tuple(lines)


@dataclass(frozen=True, slots=True)
class Batch:
    """A request, ready to be appended.

    Attributes:
        sender: the token it came with, as a pseudonym.
        entries: of its events.
        lines: how many lines it has, empty ones too.
        holes: places of empty lines: numbers that the producer gave to nothing.
        range: its place among the producer's lines; None: it may be recorded twice.
        vitals: what its events say of their models' health.
    """

    sender: str
    entries: Sequence[Entry]
    lines: int
    holes: Sequence[int] = ()
    range: Range | None = None
    vitals: ByVersion = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a request: its events are on the disk, in the numbers `[first, end)` of the log.

    `repeated` of its lines were there already; then `events` counts the others.
    """

    events: int
    repeated: int
    first: int
    end: int


@dataclass(slots=True)
class Ingest:
    """Takes requests for one log.

    Attributes:
        log: where to.
        make: the entries of lines, or BadInput.
        now: the time.
        positions: where producers are.
        seen: the vitals of the events that `make` saw last.
        versions: which versions of each model answered.
        is_unsure: an append failed, so that positions may say more than the log holds, until `resume`.
    """

    log: Log
    make: Callable[[Sequence[bytes]], list[Entry]]
    now: Callable[[], datetime]
    positions: Positions = field(default_factory=Positions)
    seen: Callable[[], ByVersion] = dict
    versions: Versions = field(default_factory=Versions)
    is_unsure: bool = False

    def prepare(
        self, lines: Sequence[bytes], sender: str, place: Range | None = None, models: Iterable[str] = ()
    ) -> Batch:
        """Check the lines of a request; nothing is recorded yet.

        Args:
            lines: one event each; an empty one is nothing.
            sender: a pseudonym.
            place: where the lines stand among the producer's.
            models: the only models that the sender may write of; none: all.

        Raises:
            BadLines: lines are no events.
            BadInput: there are too many lines.
            Denied: an event is of another model.
        """
        if len(lines) > EVENTS_MAX:
            raise BadInput(f"{len(lines):,} lines are over the limit of {EVENTS_MAX:,} a request: send them in parts")
        holes = [number for number, line in enumerate(lines) if not line] if b"" in lines else ()
        events = [line for line in lines if line] if holes else lines
        try:
            entries = self.make(events) if events else []
        except BadInput:
            raise self._bad(lines) from None
        vitals = self.seen()
        self._check_times(entries, lines)
        if allowed := frozenset(models):
            _check_models(entries, allowed)
        return Batch(sender, entries, len(lines), holes, place, vitals)

    def accept(self, batches: Sequence[Batch]) -> list[Accepted | AndonError]:
        """Append requests with one fsync; each is answered with what became of it, in order.

        Raises:
            Unavailable: the disk failed; none of them may be acknowledged, and `resume` has to be called.
        """
        at = _text(self.now())
        group: list[Entry] = []
        plans: list[tuple[int, int, int] | AndonError] = []
        self.is_unsure = True
        for batch in batches:
            try:
                plans.append(self._plan(batch, at, group))
            except AndonError as error:
                plans.append(error)
        first = self.log.append(group)
        self.is_unsure = False
        for batch, plan in zip(batches, plans, strict=True):
            if isinstance(plan, AndonError) or not plan[1]:
                continue
            if plan[1] < len(batch.entries):  # what was sent again may say other than what is recorded
                self.versions.learn(entry.header for entry in group[plan[0] : plan[0] + plan[1]])
                continue
            self.versions.note(batch.vitals, at)
            if sum(each.predictions for each in batch.vitals.values()) < len(batch.entries):
                self.versions.note_labels((entry.header for entry in batch.entries), at)
        slack = self.log.size - first - len(group)  # what the log wrote of its own between
        return [
            plan
            if isinstance(plan, AndonError)
            else Accepted(plan[1], plan[2], first + plan[0], first + plan[0] + plan[1] + slack)
            for plan in plans
        ]

    def taken(self, place: Range) -> int:
        """How many lines of a producer on this machine are recorded.

        Raises:
            Conflict: they begin with another line than the producer's.
        """
        return self.positions.known(place, LINES_MAX)

    def take(self, entries: Sequence[Entry], sender: str, place: Range | None) -> int:
        """Append entries of a sender on this machine, as `accept` does; how many of them were recorded before."""
        [done] = self.accept([Batch(sender, entries, len(entries), (), place, self.seen())])
        if isinstance(done, AndonError):
            raise done
        return done.repeated

    def resume(self, snapshot: Mapping[str, Any] | None = None) -> None:
        """Learn from the log where producers are, and which versions answered; `snapshot` says it for its beginning."""
        known = snapshot or {"size": 0, "positions": {}, "versions": (), "labelled": {}}
        learning = Learning(positions_from(known["positions"]))
        for seq, entry in self.log.of_kinds({"batch", *CONTROL_KINDS}, known["size"]):
            learning.see(seq, parse_header(entry.header))
        is_cut = learning.end(self.log.size)
        self.positions, self.is_unsure = learning.positions, False
        self.versions = versions_from(known["versions"], known["labelled"])
        self.versions.learn(header for _, header in self.log.headers(known["size"]))
        if is_cut:  # what follows belongs to the batch no more
            self.log.append([make_entry({"kind": "batch", "at": _text(self.now()), "by": "recovery", "events": 0})])

    def snapshot(self) -> dict[str, Any]:
        """Where producers are and which versions answered, and for how much of the log that holds."""
        self.positions.forget(_text(self.now() - KEY_KEPT))
        versions, (_, labelled) = self.versions.document(), self.versions.last()
        return {
            "size": self.log.size,
            "positions": self.positions.document(),
            "versions": versions,
            "labelled": labelled,
        }

    def _plan(self, batch: Batch, at: str, group: list[Entry]) -> tuple[int, int, int]:
        """Put a batch's new entries into the group; where they start there, how many, lines known."""
        known = 0 if batch.range is None else self.positions.known(batch.range, batch.lines)
        if known == batch.lines:
            return len(group), 0, known
        before = sum(hole < known for hole in batch.holes)
        entries = batch.entries[known - before :]
        header: dict[str, Any] = {"kind": "batch", "at": at, "by": batch.sender, "events": len(entries)}
        if batch.range is not None:
            place = batch.range
            holes = [hole - known for hole in batch.holes if hole >= known]
            header |= {"producer": place.producer, "epoch": place.epoch, "first": place.first + known}
            header |= {"lines": batch.lines - known} | ({"holes": holes} if holes else {})
            header |= {} if place.digest is None else {"sha256": place.digest}
            self.positions.note(place, place.first + batch.lines, at)
        group.append(make_entry(header))
        group.extend(entries)
        return len(group) - len(entries), len(entries), known

    def _check_times(self, entries: Sequence[Entry], lines: Sequence[bytes]) -> None:
        limit = _text(self.now() + AHEAD_MAX).encode()
        if entries and max(_times_of(entries)) > limit:
            raise self._bad(lines)

    def _bad(self, lines: Sequence[bytes]) -> BadLines:
        limit = _text(self.now() + AHEAD_MAX).encode()
        found = [(number, reason) for number, line in enumerate(lines, 1) if (reason := self._reason(line, limit))]
        return BadLines(len(found), found[:BAD_LINES_SHOWN])

    def _reason(self, line: bytes, limit: bytes) -> str | None:
        if not line:
            return None
        try:
            [entry] = self.make([line])
        except BadInput as error:
            return str(error).partition("line 1: ")[2] or str(error)
        ts = _ts_of(entry.header)
        if ts > limit:
            return (
                f"ts {ts.decode()} is more than an hour ahead of the server: set the clock of the machine that sends it"
            )
        return None


def _times_of(entries: Sequence[Entry]) -> list[bytes]:
    """The events' times; where the first header ends as all of one version do, so do the others."""
    if entries[0].header.endswith(_END) and entries[0].header[_TS_KEY] == _TS:
        return [entry.header[_TS_PLACE] for entry in entries]
    return [_ts_of(entry.header) for entry in entries]


def _ts_of(header: bytes) -> bytes:
    """The event's time in a header; its keys are sorted, so that `ts` stands near the end."""
    start = header.rindex(_TS) + _TS_START
    return header[start : start + _TS_LENGTH]


def _check_models(entries: Sequence[Entry], allowed: frozenset[str]) -> None:
    for entry in entries:
        model_id = parse_header(entry.header)["model_id"]
        if model_id not in allowed:
            limits = ", ".join(sorted(allowed))
            raise Denied(f"this token is limited to {limits} and may not write of {model_id}: use one for that model")


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def receipt(accepted: Accepted, log: str) -> bytes:
    """What a sender gets."""
    fields = {"events": accepted.events, "repeated": accepted.repeated, "first": accepted.first, "end": accepted.end}
    return json.dumps({**fields, "log": log}).encode()
