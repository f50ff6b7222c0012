"""What the pictures of one incident share: its time, its part of the traffic, its way of drawing then and now."""

from dataclasses import dataclass
from datetime import tzinfo

from markupsafe import Markup

from andon.base.interval import Interval
from andon.base.share import Share
from andon.chart import rows, timeline
from andon.chart.scale import Linear
from andon.incident.scan import DetectedIncident
from andon.interfaces.cli.page import sayings
from andon.interfaces.cli.page.parts import Key, Row


@dataclass(frozen=True, slots=True)
class Scene:
    """What all pictures of one incident (or of a quiet log) share."""

    key: str
    period: Interval
    zone: tzinfo
    marks: tuple[timeline.Mark, ...]
    incident: DetectedIncident | None = None

    @property
    def current(self) -> str:
        """How what is there now is drawn."""
        return "calm" if self.incident is None else "current"

    @property
    def now(self) -> str:
        """What the current rows are called."""
        return "log" if self.incident is None else "now"

    @property
    def when(self) -> str:
        """When the current rows were decided."""
        return "in the log" if self.incident is None else "during the failure"

    @property
    def part(self) -> str:
        """The affected part in words."""
        sliced = None if self.incident is None else self.incident.slice
        return sayings.part(None if sliced is None else sliced.predicate)


def dumbbell_keys(scene: Scene, *, rest: bool = False) -> tuple[Key, ...]:
    """The key of rows with dumbbells."""
    keys: tuple[Key, ...] = (("before", "reference"), ("rest" if scene.incident is None else "affected", scene.when))
    return (*keys, ("rest", "the rest, then")) if rest else keys


def dumbbell(label: str, before: Share, during: Share, scale: Linear, style: str) -> Row:
    """A row that sets a share of the reference beside the current one."""
    now = None if during.value is None else (during.value, during.low, during.high)
    svg = rows.dumbbell(scale, before.value, now, style)
    return Row(label, Markup(svg), sayings.share(before), sayings.share(during))  # noqa: S704  # numbers only
