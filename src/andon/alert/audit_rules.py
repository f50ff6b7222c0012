"""The two built-in rules over Andon's own audit log: denied bursts, and a role that rose before an export."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

DENIED_MAX: Final = 20
"""So many refusals of one token within `WITHIN` are a burst."""
STRANGERS_MAX: Final = 100
"""So many of one address without a token that is known: a client whose token ran out asks again and again."""
WITHIN: Final = timedelta(minutes=5)
QUIET: Final = timedelta(hours=1)
"""A caller's next burst within this time is the same one."""
AFTER_RISE: Final = timedelta(hours=24)
"""An export so soon after its token's holder rose is looked at."""
CALLERS_MAX: Final = 10_000


@dataclass(slots=True)
class Denials:
    """Counts refusals by caller; the oldest caller is forgotten when there are too many."""

    _times: dict[str, deque[datetime]] = field(default_factory=dict)
    _told: dict[str, datetime] = field(default_factory=dict)

    def note(self, caller: str, at: datetime, many: int = DENIED_MAX) -> dict[str, str] | None:
        """Count a refusal; what to tell when so many make a burst, once an hour."""
        times = self._times.pop(caller, deque(maxlen=many))
        times.append(at)
        self._times[caller] = times
        if len(self._times) > CALLERS_MAX:
            oldest = next(iter(self._times))
            del self._times[oldest]
            self._told.pop(oldest, None)
        is_burst = len(times) == many and at - times[0] <= WITHIN
        if not is_burst or at - self._told.get(caller, at - QUIET) < QUIET:
            return None
        self._told[caller] = at
        summary = f"{many} requests of {caller} were refused within {WITHIN // timedelta(minutes=1)} minutes"
        return {"rule": "DeniedBurst", "subject": caller, "summary": summary, "at": at.isoformat()}


def raised_exports(
    tokens: Iterable[Mapping[str, Any]], exports: Sequence[Mapping[str, Any]], roles: Collection[str]
) -> list[dict[str, str]]:
    """Exports by a token whose holder could not export before it, within a day of its making.

    Args:
        tokens: rows of tokens.
        exports: rows of exports.
        roles: the roles that may export.
    """
    known = {row["id"]: row for row in tokens}
    found = []
    for export in exports:
        token = known.get(export["actor"])
        if token is None or token["role"] not in roles:
            continue
        made = datetime.fromisoformat(token["created_at"])
        rose = any(
            row["name"] == token["name"] and row["role"] not in roles and row["created_at"] < token["created_at"]
            for row in known.values()
        )
        if rose and datetime.fromisoformat(export["exported_at"]) - made <= AFTER_RISE:
            summary = f"{export['seal_id']} was exported by {token['id']}, whose holder rose to {token['role']} before"
            at = export["exported_at"]
            found.append({"rule": "RoleRaisedThenExport", "subject": export["id"], "summary": summary, "at": at})
    return found
