"""An alert from outside: one stretch of time in which something fires, by whoever watches it.

Alerts are joined by (source, fingerprint, start), as Prometheus's own alerts are: the same again is the same alert, and
resolved wins. The join is a maximum, so any order, repetition and redelivery of the same signals give the same alerts.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from andon.base.errors import BadInput

FIRING: Final = "firing"
RESOLVED: Final = "resolved"
AHEAD_MAX: Final = timedelta(minutes=10)
"""A time further ahead than this is a wrong clock."""
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A start before this is no time but a mistake of units."""
NAME_MAX: Final = 200
VALUE_MAX: Final = 4_000
WORDS_MAX: Final = 20_000
"""Letters of an annotation, such as the text of a report."""
TITLE_MAX: Final = 500
LABELS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """What a signal says of one alert.

    Attributes:
        source: who watches: `alertmanager`, `pagerduty`, `datadog`, `report`, …
        fingerprint: names what fires, at its source.
        title: what is wrong, in a sentence.
        starts_at: when it began to fire; None: the source names no time, so that signals count in their order.
        is_resolved: whether it is over.
        ends_at: when it was over, if the source says so.
        labels: what it is about; they identify it.
        annotations: words about it.
        group_key: what its source sends together.
        url: where its source shows it.
        more: what a scan or a report knows besides: facts, the slice, when it began.
    """

    source: str
    fingerprint: str
    title: str
    starts_at: datetime | None = None
    is_resolved: bool = False
    ends_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    group_key: str = ""
    url: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return RESOLVED if self.is_resolved else FIRING

    @property
    def id(self) -> str:
        """Names the alert: of the same source, fingerprint and start, the same.

        Raises:
            ValueError: it has no start yet.
        """
        if self.starts_at is None:
            raise ValueError("an alert has its id from its start on")
        names = "\n".join((self.source, self.fingerprint, _text(self.starts_at)))
        return f"alert_{sha256(names.encode()).hexdigest()[:32]}"

    def document(self) -> dict[str, Any]:
        """The alert as JSON keeps it."""
        return {
            "source": self.source,
            "fingerprint": self.fingerprint,
            "title": self.title,
            "starts_at": None if self.starts_at is None else _text(self.starts_at),
            "is_resolved": self.is_resolved,
            "ends_at": None if self.ends_at is None else _text(self.ends_at),
            "labels": dict(sorted(self.labels.items())),
            "annotations": dict(sorted(self.annotations.items())),
            "group_key": self.group_key,
            "url": self.url,
            "more": dict(self.more),
        }

    @property
    def _rank(self) -> tuple[bool, bool, str, str]:
        """What wins among signals of one alert: resolved, a later end, then the text, so that the order is total."""
        end = "" if self.ends_at is None else _text(self.ends_at)
        return self.is_resolved, self.ends_at is not None, end, json.dumps(self.document(), sort_keys=True)


def alert_from(document: Mapping[str, Any]) -> Alert:
    """The alert that `document` gave."""
    times = {name: document[name] and datetime.fromisoformat(document[name]) for name in ("starts_at", "ends_at")}
    return Alert(**{**document, **times})


def join(one: Alert, other: Alert) -> Alert:
    """What two signals of one alert say together: commutative, associative, and the same again changes nothing."""
    return max(one, other, key=lambda each: each._rank)  # noqa: SLF001  # of this class


def joined(alerts: Iterable[Alert]) -> dict[str, Alert]:
    """The alerts that some signals make, by id; each has a start."""
    found: dict[str, Alert] = {}
    for alert in alerts:
        known = found.get(alert.id)
        found[alert.id] = alert if known is None else join(known, alert)
    return found


def checked(alert: Alert, now: datetime) -> Alert:
    """An alert within the limits that Andon keeps; long texts are cut, wrong times are refused.

    Raises:
        BadInput: a name, a time or the number of labels is no alert's; the text says which and how to mend it.
    """
    named = f"the alert {_short(alert.title)!r}"
    if not 0 < len(alert.fingerprint) <= NAME_MAX * 2 or not alert.fingerprint.isprintable():
        raise BadInput(f"{named} has no fingerprint of 1 to {NAME_MAX * 2} printable letters: send what identifies it")
    if len(alert.labels) > LABELS_MAX or len(alert.annotations) > LABELS_MAX:
        raise BadInput(f"{named} has over {LABELS_MAX} labels: send fewer")
    if any(not name or len(name) > NAME_MAX for name in (*alert.labels, *alert.annotations)):
        raise BadInput(f"{named} has a label whose name is empty or over {NAME_MAX} letters: mend it")
    for what, at in (("starts", alert.starts_at), ("ends", alert.ends_at)):
        if at is not None and not EARLIEST <= at <= now + AHEAD_MAX:
            minutes = int(AHEAD_MAX.total_seconds() // 60)
            raise BadInput(
                f"{named} {what} at {_text(at)}, which is before 2000 or more than {minutes} minutes ahead of the"
                " server: set the clock of the machine that sends it"
            )
    return replace(
        alert,
        title=_clean(alert.title, TITLE_MAX) or alert.fingerprint,
        labels={name: _clean(value, VALUE_MAX) for name, value in alert.labels.items()},
        annotations={name: _clean(value, WORDS_MAX, lines=True) for name, value in alert.annotations.items()},
        group_key=_clean(alert.group_key, VALUE_MAX),
        url=_address(alert.url),
    )


def _clean(text: str, length: int, *, lines: bool = False) -> str:
    """Text without what does not print; line breaks stay where they may."""
    shown = text[: length + 1]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() or (lines and c == "\n") else " " for c in shown)
    return shown.strip() if len(text) <= length else f"{shown[: length - 1].strip()}…"


def _address(url: str) -> str:
    """A web address; anything else could do harm where somebody clicks on it."""
    is_web = url.startswith(("http://", "https://")) and url.isprintable() and len(url) <= VALUE_MAX
    return url if is_web and " " not in url else ""


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"  # noqa: PLR2004


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
