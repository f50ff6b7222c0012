"""Matchers: which alerts a silence or a map is about, by their labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from andon.base.errors import BadInput

MATCHERS_MAX: Final = 20
NAMED: Final = ("source", "model_id", "incident_type", "environment", "alert")
"""What may be matched beside labels: what an alert was found to be about; `alert` is its fingerprint."""


@dataclass(frozen=True, slots=True)
class Matchers:
    """Labels and the values that they must have; all of them."""

    wanted: tuple[tuple[str, str], ...]

    def match(self, labels: Mapping[str, str]) -> bool:
        """Whether labels have all the values; a missing label counts as empty, as in Alertmanager."""
        return all(labels.get(name, "") == value for name, value in self.wanted)

    @property
    def text(self) -> str:
        """As `parse` reads them, one a line."""
        return "\n".join(f"{name}={value}" for name, value in self.wanted)


def parse(texts: Iterable[str]) -> Matchers:
    """Matchers from `label=value` texts.

    Raises:
        BadInput: there is none, or one is no equality.
    """
    wanted: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        value = value.strip().strip('"')
        if (
            not equals
            or not name.strip()
            or name.strip()[-1] in "!~"
            or value.startswith("~")
            or not text.isprintable()
        ):
            raise BadInput(f"{text!r} matches nothing: write LABEL=VALUE, such as alertname=HighLatency")
        wanted[name.strip()] = value
    if not 0 < len(wanted) <= MATCHERS_MAX:
        raise BadInput(f"1 to {MATCHERS_MAX} matchers are needed: write LABEL=VALUE, such as alertname=HighLatency")
    return Matchers(tuple(sorted(wanted.items())))


def asked(texts: Iterable[str]) -> Matchers:
    """Matchers that a person asks for: as `parse` reads them, and not of nearly every alert.

    Raises:
        BadInput: they are none, or none has a value: whatever lacks the labels would match. Alertmanager refuses that.
    """
    found = parse(texts)
    if not any(value for _, value in found.wanted):
        names = ", ".join(name for name, _ in found.wanted)
        raise BadInput(f"{names} without a value would match nearly every alert: give at least one label its value")
    return found
