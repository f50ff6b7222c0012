"""Retention: the oldest segments go when they are old enough, unless a hold covers something in them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, Protocol

from andon.base.errors import BadInput, Conflict, Refused
from andon.evidence.custody import DELETION, SEALS, Act, Custody
from andon.evidence.hold import HOLD_KINDS, Hold, holds_of
from andon.ledger.entry import parse_header
from andon.ledger.journal import View
from andon.ledger.log import Log

DAYS_MAX: Final = 36_500
DAYS_BY_LAW: Final = 183
ELSEWHERE: Final = -1
"""The number of the entry of a hold that another log has."""


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


class _Nothing(Refused):
    """There is nothing to delete."""


@dataclass(frozen=True, slots=True)
class Retain:
    """Deletes from one log.

    Attributes:
        log: from which.
        now: the time.
        custody: enters the deletion in the journal, then in the log; its journal knows the seals of all logs.
        days_min: fewer days are refused.
    """

    log: PrunedLog
    now: Callable[[], datetime]
    custody: Custody
    days_min: int = DAYS_BY_LAW

    def retain(self, days: int, request: str | None = None, *, dry_run: bool = False) -> Retained:
        """Delete the oldest segments of which every entry was recorded longer ago, up to the first held one.

        The deletion is itself an entry, written first: what a crash leaves is deleted at the next opening. The segment
        of a hold's own entry stays as long as the hold, and with it all that came later: its custody is whole. Holds of
        every log that shares the journal count.

        Args:
            days: so long ago.
            request: an id of the request; the same again is answered with what it deleted.
            dry_run: only say what would be deleted.

        Raises:
            Refused: fewer days than the law asks for.
            Conflict: something was sealed, or deleted, meanwhile.
        """
        self._require(days)
        before, holds = self.log.first, self._holds()
        plan = self._plan(_text(self.now() - timedelta(days=days)), holds)
        if dry_run:
            return plan
        header = {"kind": DELETION, "at": _text(self.now()), "first": before, "end": plan.first}
        data = {"log": self.custody.origin, "days": days, "begin": before, **asdict(plan)}

        def decide(view: View) -> Act:
            if not plan.segments:
                raise _Nothing("nothing is old enough")
            if self.log.first != before or not holds.keys() >= _sealed(view).keys():
                raise Conflict("something was sealed or deleted meanwhile: ask again")
            return Act("segments_deleted", self.custody.recipient, header, {"days": days}, data)

        try:
            entered = self.custody.enter(decide, request, is_alone=True)
        except _Nothing:
            return plan
        self.log.checkpoint()
        return _retained(entered.data)

    def _require(self, days: int) -> None:
        if not 0 <= days <= DAYS_MAX:
            raise BadInput(f"{days} days are no time to keep something: give 0 to {DAYS_MAX:,}")
        if days < self.days_min:
            raise Refused(
                f"--days {days} is under {self.days_min}, six months, for which the EU AI Act (articles 19 and 26) has"
                " logs kept: give more days; where that law is not yours, set ANDON_RETENTION_FLOOR=off"
            )

    def _holds(self) -> Mapping[str, Hold]:
        """What holds: by the journal all logs' seals, by the log its own, also from before there was a journal."""
        mine = holds_of(self.log.of_kinds(HOLD_KINDS))
        return {**_sealed(self.custody.journal), **{hold.id: hold for hold in mine if not hold.is_released}}

    def _plan(self, limit: str, holds: Mapping[str, Hold]) -> Retained:
        before = self.log.first
        end, count, held, headers = before, 0, None, (header for _, header in self.log.headers(before))
        for first, after, name in self.log.segments():
            keeper = _keeper(enumerate(islice(headers, after - first), first), limit, holds.values())
            if keeper is not None:
                held = (name, keeper) if keeper else None
                break
            end, count = after, count + 1
        return Retained(end - before, count, end, held)


def _keeper(headers: Iterable[tuple[int, bytes]], limit: str, holds: Iterable[Hold]) -> str | None:
    """The id of the hold that keeps a segment; empty where it is too young; None where nothing keeps it."""
    own = {hold.seq: hold.id for hold in holds}
    for seq, header in headers:
        fields = parse_header(header)
        if fields["at"] >= limit:
            return ""
        if seq in own:
            return own[seq]
        if "ts" in fields:
            for hold in holds:
                if hold.covers(fields["model_id"], fields["ts"]):
                    return hold.id
    return None


def _sealed(view: View) -> dict[str, Hold]:
    """The seals of all logs that hold, as the journal has them."""
    names = ("model_id", "since", "until", "reason")
    rows = view.list_rows(SEALS, {"released_at": None})
    return {row["id"]: Hold(row["id"], ELSEWHERE, *(row[name] for name in names)) for row in rows}


def _retained(data: Mapping[str, Any]) -> Retained:
    held = data["held"]
    return Retained(data["entries"], data["segments"], data["first"], None if held is None else (held[0], held[1]))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
