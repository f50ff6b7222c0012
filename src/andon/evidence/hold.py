"""Holds: what may not be deleted, by model and time, so that later outcomes of a held decision are held too."""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from andon.base.errors import BadInput, NotFound
from andon.ledger.entry import Entry, parse_header

BEFORE = timedelta(hours=48)
"""A hold starts so long before the first anomaly can have begun."""
HOLD_KINDS = ("hold", "release")
"""Kinds of the entries that make and release holds."""
RELEASERS = 2
"""So many different people must ask for the release of a hold."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as its entry says it.

    Attributes:
        id: the seal's.
        seq: number of its entry.
        model_id: whose events are held.
        since, until: event times as ISO 8601 in UTC, half-open; None: no bound on that side.
        reason: why.
        releasers: who asked for its release so far.
        is_released: whether it holds no more.
    """

    id: str
    seq: int
    model_id: str
    since: str | None
    until: str | None
    reason: str
    releasers: tuple[str, ...] = ()
    is_released: bool = False

    def covers(self, model_id: str, ts: str) -> bool:
        """Whether an event falls under it; times compare as text, which one zone and one form make right."""
        return (
            model_id == self.model_id
            and (self.since is None or ts >= self.since)
            and (self.until is None or ts < self.until)
        )


def holds_of(controls: Iterable[tuple[int, Entry]]) -> list[Hold]:
    """Every hold that the log's own entries make and release, in order."""
    found: dict[str, Hold] = {}
    for seq, entry in controls:
        fields = parse_header(entry.header)
        if fields["kind"] == "hold":
            found[fields["id"]] = _hold(seq, fields, json.loads(entry.payload))
        elif fields["kind"] == "release" and fields["id"] in found:
            found[fields["id"]] = released(found[fields["id"]], json.loads(entry.payload)["by"], fields["needs"])
    return list(found.values())


_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Letters without a picture: Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt), and two blanks."""


def person_of(name: str) -> str:
    """What a name is compared by: in any case, with any white space and marks that nobody sees it is one person's."""
    folded = unicodedata.normalize("NFKD", _UNSEEN.sub("", unicodedata.normalize("NFKD", name)).casefold())
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFKC", folded).casefold()).split())


def require_text(text: str, what: str, mend: str) -> None:
    """Refuse a text that says nothing, or holds bytes that are none.

    Raises:
        BadInput: it does.
    """
    if not text.strip():
        raise BadInput(f"{what} is empty: write {mend}")
    if any(unicodedata.category(letter) == "Cs" for letter in text):
        raise BadInput(f"{what} holds bytes that are no text: write {mend}")


def written(text: str, what: str, mend: str) -> str:
    """A name or a reason as it is recorded: with single spaces, and none around it.

    Raises:
        BadInput: it says nothing, or holds control characters.
    """
    require_text(text if person_of(text) else "", what, mend)
    if any(unicodedata.category(letter) == "Cc" for letter in text.strip()):
        raise BadInput(f"{what} holds control characters: write {mend}, on one line")
    return " ".join(text.split())


def released(hold: Hold, by: str, needs: int) -> Hold:
    """The hold after somebody asked for its release, when so many different people must ask.

    Names count as they were recorded: `Audit.release` takes none that is a person's who asked before, and what an
    earlier version released with two spellings of one name stays released.
    """
    people = tuple(dict.fromkeys((*hold.releasers, by)))
    is_released = hold.is_released or len(people) >= needs
    return Hold(hold.id, hold.seq, hold.model_id, hold.since, hold.until, hold.reason, people, is_released)


def get_hold(holds: Iterable[Hold], seal_id: str) -> Hold:
    """The hold of a seal.

    Raises:
        NotFound: there is none of that id.
    """
    known = {hold.id: hold for hold in holds}
    if seal_id not in known:
        ids = ", ".join(list(known)[-3:]) or "none yet"
        raise NotFound(f"there is no seal {seal_id}: the last ones are {ids}; `andon evidence holds` lists all")
    return known[seal_id]


def _hold(seq: int, fields: dict[str, Any], payload: dict[str, Any]) -> Hold:
    return Hold(fields["id"], seq, fields["model_id"], fields["since"], fields["until"], payload["reason"])
