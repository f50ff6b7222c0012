"""Alerts of an incident that are over: a line of its timeline, and a count. It is people who resolve an incident."""

from collections.abc import Mapping, Sequence
from typing import Final

from andon.base.fold import Change, Fold, Posting
from andon.incident.fold import line, touched
from andon.incident.opening import ALERTS, get_row
from andon.ledger.journal import Fact, View


def ended(view: View, incident_id: str, ends: Mapping[str, str], actor: str) -> Fact | None:
    """The fact that alerts of an incident are over; None: it is known of all of them.

    Args:
        view: the tables; the command has to be alone.
        incident_id: the incident.
        ends: when each alert was over, by its id.
        actor: who says so, as a pseudonym.
    """
    new = {}
    for alert_id, at in ends.items():
        row = view.find(ALERTS, alert_id)
        if row is not None and row["incident_id"] == incident_id and row.get("ended_at") is None:
            new[alert_id] = at
    if not new:
        return None
    row = get_row(view, incident_id)
    total = (row.get("ended") or 0) + len(new)
    data = {"alerts": [{"id": name, "ended_at": at} for name, at in sorted(new.items())], "total": total}
    return Fact("alerts_ended", incident_id, actor, {**data, "firing": row["alerts"] - total})


def _ended(posting: Posting) -> Sequence[Change]:
    changes = [Change(ALERTS, each["id"], {"ended_at": each["ended_at"]}) for each in posting.data["alerts"]]
    return [touched(posting, ended=posting.data["total"]), *changes, line(posting)]


FOLDS: Final[Mapping[str, Fold]] = {"alerts_ended": _ended}
