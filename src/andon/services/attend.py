"""Attend: what incidents need without anybody asking: seals at once where it is urgent, actions, warnings of clocks.

Any server may look at any time and as often as it likes: each thing is a command with a name of its own, so that it is
done once.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from andon.base.errors import AndonError
from andon.incident.automatic import Due, acted, actions_left, receipted, warned, warnings_due
from andon.incident.clocks import IMPORTED, clocks_of
from andon.incident.desk import PLAINLY, Ask, Desk, Row
from andon.incident.fold_work import ACTIONS, WARNINGS
from andon.incident.opening import INCIDENTS, place_in_time
from andon.incident.preserving import URGENT, Sealer, SealReceipt, holding_of, sealed
from andon.incident.status import OPEN
from andon.incident.taxonomy import Severities
from andon.ledger.journal import Fact, View

LOGGER: Final = logging.getLogger("andon.server")
RETRY: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Attend:
    """Looks after open incidents.

    Attributes:
        desk: the hand on incidents; of Andon itself in `step`, of a person in `seal`.
        severities: actions and clocks of each priority.
        seals: seals evidence.
        recipients: who can be told: `notice`, `escalation`, `tracker`.
    """

    desk: Desk
    severities: Severities
    seals: Sealer
    recipients: Collection[str] = ()

    def step(self, now: datetime) -> datetime | None:
        """Do what is due; returns when the next clock has something to say, None: none has."""
        times: list[datetime | None] = []
        rows = [row for row in self.desk.journal.list_rows(INCIDENTS, {"status": OPEN}) if not _ran_elsewhere(row)]
        given = self._of_all(WARNINGS, rows), self._of_all(ACTIONS, rows)
        for row in sorted(rows, key=lambda each: not _needs_seal(each)):  # evidence before messages
            try:
                times += self._attended(row, now, *(each.get(row["id"], []) for each in given))
            except Exception as error:  # noqa: BLE001  # the worker's loop, incident by incident: one stops no other
                LOGGER.error("%s cannot be looked after: %s", row["id"], type(error).__name__)  # noqa: TRY400
                times.append(now + RETRY)
        return min((each for each in times if each is not None), default=None)

    def _of_all(self, table: str, rows: Sequence[Row]) -> dict[str, list[Row]]:
        """What a table has of some incidents, by incident: one question instead of one for each."""
        found: dict[str, list[Row]] = {}
        for each in self.desk.journal.list_rows(table, {"incident_id": tuple(row["id"] for row in rows)}):
            found.setdefault(each["incident_id"], []).append(each)
        return found

    def _attended(self, row: Row, now: datetime, warned: Sequence[Row], acts: Sequence[Row]) -> list[datetime | None]:
        """Do what one incident needs, beside the warnings and actions that there were; when to look again."""
        left = [act for act in self._wanted(row, now, warned, acts) if not _tried(row, act)]
        times = [clock.next_at(now) for clock in clocks_of(row, self.severities)]
        return [*times, now + RETRY if left else None]

    def seal(self, name: str, reason: str, ask: Ask = PLAINLY) -> SealReceipt:
        """Hold an incident's evidence from 48 hours before it began on, and sign a checkpoint over the log.

        Raises:
            NotFound: there is no such incident that the actor may see.
        """
        row = self.desk.get(self.desk.journal, name)
        request = ask.request or f"seal_{self.desk.chance(16).hex()}"
        receipt = self.seals(holding_of(row, f"{name}: {reason}"), f"{request}_hold")
        again = Ask(request, ask.version)
        self.desk.change(name, again, lambda _, now: sealed(now, receipt, self.desk.actor))
        return receipt

    def note_receipt(self, incident: str, action: str, receipt: str, request: str) -> None:
        """Whoever was told of an action says what came of it."""
        self.desk.change(incident, Ask(request), lambda _, row: receipted(row["id"], action, receipt, self.desk.actor))

    def _wanted(
        self, row: Row, now: datetime, warned: Sequence[Row], acts: Sequence[Row]
    ) -> list[Callable[[], object]]:
        wanted: list[Callable[[], object]] = []
        if _needs_seal(row):
            wanted.append(partial(self.seal, row["id"], "sealed at declaration", Ask(f"seal_{row['id']}")))
        taken = {each["action"] for each in acts}
        wanted += [partial(self._act, row, name) for name in actions_left(row, self.severities, taken)]
        wanted += [partial(self._warn, row, due, now) for due in warnings_due(row, self.severities, warned, now)]
        return wanted

    def _act(self, row: Row, name: str) -> None:
        def decide(_: View, fresh: Row) -> Fact:
            _require(fresh["status"] in OPEN)
            return acted(fresh, name, self.severities, self.recipients, self.desk.actor)

        self.desk.change(row["id"], Ask(f"action_{row['id']}_{name}"), decide)

    def _warn(self, row: Row, due: Due, now: datetime) -> None:
        def decide(view: View, fresh: Row) -> Fact:
            given = view.list_rows(WARNINGS, {"incident_id": row["id"]})
            _require(fresh["status"] in OPEN and due in warnings_due(fresh, self.severities, given, now))
            return warned(fresh, due, self.recipients, self.desk.actor)

        end = place_in_time(due.clock.due_at)
        self.desk.change(row["id"], Ask(f"clock_{row['id']}_{due.clock.name}_{end}_{due.percent}"), decide)


def _ran_elsewhere(row: Row) -> bool:
    """Whether an incident was imported and not reopened here: nothing happens for it by itself."""
    return row["origin"] == IMPORTED and row["reopened_at"] is None


def _needs_seal(row: Row) -> bool:
    return row["priority"] in URGENT and row["seal_id"] is None


def _tried(row: Row, act: Callable[[], object]) -> bool:
    """Whether it was done; what cannot be done now keeps nothing else from being done and is tried again."""
    try:
        act()
    except _Moot:
        return True
    except AndonError as error:
        LOGGER.warning("%s: %s", row["id"], error)
        return False
    return True


class _Moot(Exception):  # no error: it was done, or is no longer due
    """There is nothing to do."""


def _require(is_due: bool) -> None:  # noqa: FBT001  # it reads as a sentence
    if not is_due:
        raise _Moot
