"""Search: words in incidents, timelines and alerts, within what the searcher may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from andon.base.errors import BadInput
from andon.incident.desk import Desk
from andon.incident.dossier import line_of
from andon.incident.fold import TIMELINE
from andon.incident.opening import ALERTS, INCIDENTS

LIMIT_MAX: Final = 200
WORDS_MAX: Final = 20


class Texts(Protocol):
    """Finds rows by their words; the same words find the same rows on every database."""

    def find(self, words: str, models: Sequence[str], limit: int) -> list[tuple[str, str]]:
        """Table and key of rows that hold every word (or one that begins so) and are of these models; none: all."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A place where the words stand: `incident`, `timeline`, `alert`, …; None: of no incident, without a time."""

    kind: str
    incident_id: str | None
    at: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """Searches texts."""

    desk: Desk
    texts: Texts

    def search(self, words: str, limit: int = 20) -> list[Found]:
        """What holds every word, the closest first.

        Raises:
            BadInput: there is no word, there are too many, or the limit is none.
        """
        if not 0 < len(words.split()) <= WORDS_MAX or not any(letter.isalnum() for letter in words):
            raise BadInput(f"a search has 1 to {WORDS_MAX} words: write some")
        if not 0 < limit <= LIMIT_MAX:
            raise BadInput(f"a search gives 1 to {LIMIT_MAX} places: mend the limit")
        names: dict[str, str] = {}
        places = self.texts.find(words, self.desk.models, limit)
        rows = ((table, self.desk.journal.find(table, key)) for table, key in places)
        return [self._found(table, row, names) for table, row in rows if row is not None]

    def _found(self, table: str, row: dict[str, Any], names: dict[str, str]) -> Found:
        if table == TIMELINE:
            line = line_of(self.desk, self.desk.journal, row, names)
            return Found("timeline", row["incident_id"], line.at, line.event)
        if table == ALERTS:
            return Found("alert", row["incident_id"], row["starts_at"], row["title"])
        if table == INCIDENTS:
            what = f"{row['title']} ({row['model_id']}, {row['incident_type']})"
            return Found("incident", row["id"], row["declared_at"], what)
        times = (row.get(name) for name in ("at", "starts_at", "changed_at", "made_at"))
        said = (row.get(name) for name in ("title", "what", "text"))
        text = next((str(each) for each in said if each), row["id"])
        return Found(table.removesuffix("s"), row.get("incident_id"), next(filter(None, times), None), text)
