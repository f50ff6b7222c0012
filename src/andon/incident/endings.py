"""Alerts of an incident that are over: a line of its timeline, and a count. It is people who resolve an incident."""

from collections.abc import Mapping, Sequence
from typing import Final

from andon.base.fold import Change, Fold, Posting
from andon.incident.fold import line, touched
from andon.incident.opening import ALERTS, at_home, get_row
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
    home = at_home(view, get_row(view, incident_id))
    totals = {row["id"]: (row.get("ended") or 0) + len(new) for row in (*home.via, home.row)}
    firing = home.row["alerts"] - totals[home.row["id"]]
    data = {"alerts": [{"id": name, "ended_at": at} for name, at in sorted(new.items())], "total": totals[incident_id]}
    above = {"above": [{"id": name, "total": n} for name, n in totals.items() if name != incident_id]}
    return Fact("alerts_ended", incident_id, actor, {**data, "firing": firing, **(above if home.via else {})})


def _ended(posting: Posting) -> Sequence[Change]:
    """The line stands where people work: where the incident went up in another, in that one too."""
    changes = [Change(ALERTS, each["id"], {"ended_at": each["ended_at"]}) for each in posting.data["alerts"]]
    above = posting.data.get("above", [])
    counts = [touched(posting, each["id"], ended=each["total"]) for each in above]
    lines = [line(posting), *(line(posting, each["id"]) for each in above)]
    return [touched(posting, ended=posting.data["total"]), *counts, *changes, *lines]


FOLDS: Final[Mapping[str, Fold]] = {"alerts_ended": _ended}
