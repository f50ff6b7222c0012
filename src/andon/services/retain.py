"""Retention: the oldest segments go when they are old enough, unless a hold covers something in them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from andon.evidence.hold import HOLD_KINDS, Hold, holds_of
from andon.ledger.entry import SALT_BYTES, Entry, make_entry, parse_header
from andon.ledger.log import Log


@dataclass(frozen=True, slots=True)
class Retained:
    """What was deleted: entries and segments; where the log begins now; which segment a hold (its id) kept."""

    entries: int
    segments: int
    first: int
    held: tuple[str, str] | None


class PrunedLog(Log, Protocol):
    """A log whose oldest closed segments can be deleted; the tree stays."""

    @property
    def first(self) -> int:
        """The first entry that is not deleted."""
        ...

    def segments(self) -> list[tuple[int, int, str]]:
        """The closed segments that are there: first entry, end, name."""
        ...

    def prune(self, entry: Entry) -> int:
        """Append an entry `retention_delete`, then delete the segments before the `end` that it says."""
        ...


@dataclass(frozen=True, slots=True)
class Retain:
    """Deletes from one log."""

    log: PrunedLog
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]

    def retain(self, age: timedelta, *, dry_run: bool) -> Retained:
        """Delete the oldest segments of which every entry was recorded longer ago than `age`, up to the first held one.

        The deletion is itself an entry, written first: what a crash leaves is deleted at the next opening. The segment
        of a hold's own entry stays as long as the hold, and with it all that came later: its custody is whole.
        """
        limit = _text(self.now() - age)
        holds = [hold for hold in holds_of(self.log.of_kinds(HOLD_KINDS)) if not hold.is_released]
        end, count, held = self.log.first, 0, None
        for first, after, name in self.log.segments():
            keeper = self._keeper(first, after, limit, holds)
            if keeper is not None:
                held = (name, keeper) if keeper else None
                break
            end, count = after, count + 1
        done = Retained(end - self.log.first, count, end, held)
        if not dry_run and count:
            self._delete(end, age)
        return done

    def _keeper(self, first: int, end: int, limit: str, holds: list[Hold]) -> str | None:
        """The id of the hold that keeps a segment; empty where it is too young; None where nothing keeps it."""
        for seq, entry in self.log.read(first):
            if seq >= end:
                return None
            fields = parse_header(entry.header)
            if fields["at"] >= limit:
                return ""
            if seq in {hold.seq for hold in holds}:
                return next(hold.id for hold in holds if hold.seq == seq)
            if "ts" in fields:
                for hold in holds:
                    if hold.covers(fields["model_id"], fields["ts"]):
                        return hold.id
        return None

    def _delete(self, end: int, age: timedelta) -> None:
        header = {"kind": "retention_delete", "at": _text(self.now()), "first": self.log.first, "end": end}
        told = json.dumps({"days": age.days}).encode()
        self.log.prune(make_entry(header, self.chance(SALT_BYTES), told))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
