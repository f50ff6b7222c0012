"""Where an alert belongs: which model, which type, which environment; and what holds it back."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from andon.alert.alert import Alert
from andon.alert.matcher import Matchers

PRODUCTION: Final = "production"
ALIASES: Final[Mapping[str, str]] = {"prod": PRODUCTION, "prd": PRODUCTION, "production": PRODUCTION}
"""What sources call an environment, in small letters: the same one has one incident, whoever speaks of it."""
UNCLASSIFIED: Final = "unclassified"
UNMAPPED: Final = "unmapped"
SILENCED: Final = "silenced"
SEVERITIES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("critical", "page", "fatal", "emergency", "p0", "p1", "sev-1", "sev1"), "critical"),
    **dict.fromkeys(("high", "error", "major", "p2", "sev-2", "sev2"), "high"),
    **dict.fromkeys(("medium", "warning", "warn", "minor", "p3", "sev-3", "sev3"), "medium"),
    **dict.fromkeys(("low", "info", "information", "notice", "none", "p4", "p5", "sev-4", "sev4"), "low"),
}
"""What sources call a severity. `p0` to `p5` are theirs (Datadog counts P1 to P5), never an incident's."""
_NAME: Final = re.compile(r"[^\s].{0,198}[^\s]|[^\s]")


@dataclass(frozen=True, slots=True)
class AlertMap:
    """What alerts with certain labels are about, where their labels do not say it; None: as the labels say."""

    id: str
    matchers: Matchers
    model_id: str | None = None
    incident_type: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts with certain labels open nothing in `[starts_at, ends_at)`; they are kept."""

    id: str
    matchers: Matchers
    starts_at: datetime
    ends_at: datetime

    def holds(self, labels: Mapping[str, str], at: datetime) -> bool:
        """Whether alerts with these labels are silenced at a time."""
        return self.starts_at <= at < self.ends_at and self.matchers.match(labels)


@dataclass(frozen=True, slots=True)
class Place:
    """What an alert is about.

    Attributes:
        model_id: None: nothing says which model; the alert is kept and offered for mapping.
        incident_type: one of the taxonomy, else `unclassified`.
        severity: critical, high, medium or low; None: not said.
    """

    model_id: str | None
    incident_type: str
    environment: str = PRODUCTION
    severity: str | None = None
    model_version: str | None = None

    @property
    def key(self) -> tuple[str, str, str] | None:
        """What makes alerts one incident: environment, model, type; None as long as no model is known."""
        return None if self.model_id is None else (self.environment, self.model_id, self.incident_type)


def place_of(alert: Alert, maps: Sequence[AlertMap], types: Collection[str]) -> Place:
    """Where an alert belongs: by its own labels, and where they are silent by the first map that fits.

    Args:
        alert: the alert.
        maps: in the order of their ids, so that every server decides alike.
        types: the types of the taxonomy.
    """
    labels = matchable(alert)
    fitting = [each for each in maps if each.matchers.match(labels)]

    def found(name: str, *own: str) -> str | None:
        said = next((labels[each] for each in own if labels.get(each)), None)
        return said or next((value for each in fitting if (value := getattr(each, name)) is not None), None)

    kind = found("incident_type", "incident_type")
    return Place(
        _named(found("model_id", "model_id", "model")),
        kind if kind is not None and kind in types else UNCLASSIFIED,
        environment_of(_named(found("environment", "environment", "env"))),
        SEVERITIES.get(labels.get("severity", labels.get("priority", "")).strip().lower()),
        _named(labels.get("model_version") or labels.get("version")),
    )


def environment_of(name: str | None) -> str:
    """The environment that a name means; production where nothing is named."""
    return PRODUCTION if name is None else ALIASES.get(name.lower(), name)


def matchable(alert: Alert, place: Place | None = None) -> dict[str, str]:
    """The labels that matchers see: the alert's own, what it is about, its source and its fingerprint."""
    about = {}
    if place is not None:  # an environment is matched by the name that its source has for it
        environment = alert.labels.get("environment", place.environment)
        about = {"incident_type": place.incident_type, "environment": environment}
    if place is not None and place.model_id is not None:
        about["model_id"] = place.model_id
    return {"source": alert.source, "alert": alert.fingerprint, **alert.labels, **about}


def hold_of(alert: Alert, place: Place, silences: Sequence[Silence], now: datetime) -> str | None:
    """What keeps an alert from an incident: `unmapped`, `silenced`, or nothing."""
    if any(each.holds(matchable(alert, place), now) for each in silences):
        return SILENCED
    return UNMAPPED if place.model_id is None else None


def _named(text: str | None) -> str | None:
    """A name that can be part of a key."""
    if text is None or not text.isprintable():
        return None
    return text.strip() if _NAME.fullmatch(text.strip()) else None
