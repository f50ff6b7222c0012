"""Where an incident stands, and which moves are allowed: a table."""

from typing import Final

from andon.base.errors import Refused

DECLARED: Final = "declared"
CONTAINED: Final = "contained"
RESOLVED: Final = "resolved"
CLOSED: Final = "closed"
MERGED: Final = "merged"
"""Its matters are another incident's now; only undoing the merge leads out of this."""
OPEN: Final = (DECLARED, CONTAINED, RESOLVED)
STATUSES: Final = (*OPEN, CLOSED, MERGED)

MOVES: Final = {
    (DECLARED, CONTAINED): "contain",
    (DECLARED, RESOLVED): "resolve",
    (CONTAINED, RESOLVED): "resolve",
    (RESOLVED, CLOSED): "close",
    (CONTAINED, DECLARED): "reopen",
    (RESOLVED, DECLARED): "reopen",
    (CLOSED, DECLARED): "reopen",
}
"""From and to, and the name of the move. Merging is a move of its own: from any open status."""
STAMPS: Final = {CONTAINED: "contained_at", RESOLVED: "resolved_at", CLOSED: "closed_at"}
"""The column that says when a status was reached."""


def require_move(incident_id: str, before: str, after: str) -> str:
    """The name of a move.

    Raises:
        Refused: it is not allowed; those that are get named.
    """
    name = MOVES.get((before, after))
    if name is not None:
        return name
    if before == after:
        raise Refused(f"{incident_id} is {before} already: nothing to do")
    allowed = [to for (at, to) in MOVES if at == before]
    mend = f"from there it can become {' or '.join(allowed)}" if allowed else "work goes on in the one it joined"
    raise Refused(f"{incident_id} is {before}, so it cannot become {after}: {mend}")


def undone_stamps(after: str) -> tuple[str, ...]:
    """The columns that no longer hold once an incident goes back to a status."""
    return tuple(STAMPS[status] for status in STATUSES[STATUSES.index(after) + 1 :] if status in STAMPS)
