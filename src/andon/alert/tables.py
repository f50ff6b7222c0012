"""Signals, alerts, silences and maps as a fold of the journal."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from andon.alert import matcher
from andon.alert.alert import Alert, alert_from
from andon.alert.place import AlertMap, Silence
from andon.alert.signal import GROUPED, PART_ALERTS, WAITING
from andon.base.fold import Change, Fold, Posting

SIGNALS: Final = "signals"
ALERTS: Final = "alerts"
SILENCES: Final = "silences"
MAPS: Final = "alert_maps"
FIGURES: Final = "model_figures"
_DESCRIBED: Final = ("source", "fingerprint", "title", "group_key", "url")
_PLACED: Final = ("environment", "model_id", "incident_type", "severity", "model_version")


def stored(at: datetime) -> str:
    """A time as tables hold it; such texts sort by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def alert_of(row: Mapping[str, Any]) -> Alert:
    """The alert of a row."""
    return alert_from(json.loads(row["content"]))


def silence_of(row: Mapping[str, Any]) -> Silence:
    """The silence of a row."""
    starts, ends = (datetime.fromisoformat(row[name]) for name in ("starts_at", "ends_at"))
    return Silence(row["id"], matcher.parse(row["matchers"].split("\n")), starts, ends)


def map_of(row: Mapping[str, Any]) -> AlertMap:
    """The map of a row."""
    names = ("model_id", "incident_type", "environment")
    return AlertMap(row["id"], matcher.parse(row["matchers"].split("\n")), *(row[name] for name in names))


def _accepted(posting: Posting) -> Sequence[Change]:
    """A signal, in parts that are grouped one after the other; they sort as they were accepted."""
    documents = _list(posting.private.get("alerts", "[]"))
    parts = [documents[start : start + PART_ALERTS] for start in range(0, len(documents), PART_ALERTS)]
    changes = []
    for number, part in enumerate(parts):
        key = f"{posting.seq:012}:{number:05}"
        values = {"signal_id": posting.stream, "channel": posting.data["channel"], "actor": posting.actor}
        values |= {"at": posting.at, "alerts": len(part), "state": WAITING, "content": _json(part)}
        changes.append(Change(SIGNALS, key, {"id": key, **values}))
    if "figures" in posting.private:
        figures = {"id": posting.data["model_id"], "at": posting.at, "content": posting.private["figures"]}
        changes.append(Change(FIGURES, posting.data["model_id"], figures))
    return changes


def _grouped(posting: Posting) -> Sequence[Change]:
    done = {"state": GROUPED, "content": None}
    changes = [Change(SIGNALS, part, done) for part in posting.data["parts"]]
    listed = posting.data["alerts"]
    documents = _list(posting.private.get("alerts", "[]")) or [None] * len(listed)
    for told, document in zip(listed, documents, strict=True):
        times = {"last_at": posting.at, "place": f"{told['starts_at']}:{told['id']}"}
        changes.append(Change(ALERTS, told["id"], {**told, **_described(document), **times}))
    return changes


def _described(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of an alert that hold texts; where these were erased, none."""
    if document is None:
        return dict.fromkeys((*_DESCRIBED, *_PLACED, "content"))
    alert, place = document["alert"], document["place"]
    described = {name: alert[name] for name in _DESCRIBED}
    return {**described, **{name: place[name] for name in _PLACED}, "content": _json(alert)}


def _silenced(posting: Posting) -> Sequence[Change]:
    values = {name: posting.data[name] for name in ("starts_at", "ends_at")}
    values |= {"matchers": posting.private["matchers"], "reason": posting.private["reason"]}
    return [Change(SILENCES, posting.stream, {"id": posting.stream, **values, "actor": posting.actor})]


def _lifted(posting: Posting) -> Sequence[Change]:
    return [Change(SILENCES, posting.stream, {"ends_at": posting.at})]


def _mapped(posting: Posting) -> Sequence[Change]:
    values = {name: posting.data[name] for name in ("model_id", "incident_type", "environment")}
    values |= {"matchers": posting.private["matchers"], "actor": posting.actor, "made_at": posting.at}
    return [Change(MAPS, posting.stream, {"id": posting.stream, **values, "removed_at": None})]


def _unmapped(posting: Posting) -> Sequence[Change]:
    return [Change(MAPS, posting.stream, {"removed_at": posting.at})]


def _list(text: str) -> list[Any]:
    """A list that a private text holds; empty where it was erased."""
    return list(json.loads(text)) if text.startswith("[") else []


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


FOLDS: Final[Mapping[str, Fold]] = {
    "signals_accepted": _accepted,
    "alerts_grouped": _grouped,
    "silence_made": _silenced,
    "silence_lifted": _lifted,
    "alert_map_made": _mapped,
    "alert_map_removed": _unmapped,
}
