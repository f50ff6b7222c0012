"""An actor's hand on incidents: what they see, and one change at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.base.errors import NotFound, Refused, Stale
from andon.incident.number import parse
from andon.incident.opening import INCIDENTS, place_in_time
from andon.incident.status import MERGED
from andon.ledger.journal import Command, Committed, Fact, Journal, View
from andon.people.person import name_of
from andon.people.token import TABLE

Row = Mapping[str, Any]
Decide = Callable[[View, Row], Fact]


@dataclass(frozen=True, slots=True)
class Ask:
    """How a change is asked for.

    Attributes:
        request: names the request, so that a repeated one is done once.
        version: what the caller looked at; None: they do not mind what happened since.
    """

    request: str | None = None
    version: int | None = None


PLAINLY: Final = Ask()


@dataclass(frozen=True, slots=True)
class Desk:
    """An actor's hand on incidents.

    Attributes:
        journal: where to.
        now, chance: time and randomness.
        actor: who acts, as a pseudonym.
        models: the models that the actor is limited to; none: all.
    """

    journal: Journal
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    actor: str = "local"
    models: Sequence[str] = ()

    def sees(self, row: Row) -> bool:
        """Whether the actor may see an incident."""
        return not self.models or row["model_id"] in self.models

    def get(self, view: View, name: str) -> dict[str, Any]:
        """The row of an incident.

        Raises:
            NotFound: there is none, or the actor may not see it: the answer is the same.
        """
        row = view.find(INCIDENTS, name) if parse(name) else None
        if row is None or not self.sees(row):
            raise NotFound(f"there is no incident {name} that you may see: `andon incident list` lists those")
        return row

    def change(
        self, name: str, ask: Ask, decide: Decide, *, is_alone: bool = False, of_merged: bool = False
    ) -> Committed:
        """Carry out one change of an incident; `of_merged`: also of one that was merged into another.

        Raises:
            NotFound: as `get`.
            Stale: it changed since the caller looked.
            Refused: it was merged into another.
        """

        def checked(view: View) -> Fact:
            row = self.get(view, name)
            if ask.version is not None and ask.version != row["seq"]:
                raise Stale(f"{name} was changed since you looked (version {row['seq']} now): look again, then decide")
            if row["status"] == MERGED and not of_merged:
                raise Refused(f"{name} was merged into {row['merged_into']}: work in that one")
            return decide(view, row)

        request = ask.request or f"change_{self.chance(16).hex()}"
        looked = ask.version is not None  # alone: an entry of another incident, a merge into this one, changes it too
        return self.journal.commit(Command(request, checked, is_alone or looked))

    @property
    def at(self) -> str:
        """Now, as the tables hold it."""
        return place_in_time(self.now()) or ""

    def name(self, view: View, pseudonym: str) -> str:
        """The name of a person."""
        return name_of(view.find(TABLE, pseudonym), pseudonym)
