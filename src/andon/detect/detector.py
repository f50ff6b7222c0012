"""What every detector is: a question about marks, with a share of the alarm budget."""

from collections.abc import Iterator
from typing import Protocol

from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube


class Detector(Protocol):
    """Turns counts into marks; the jump test decides. It holds no state and sees no rows.

    Attributes:
        name: slug, unique.
        layer: which of the four layers.
        statistic: the name of the number in its findings.
        description: one sentence: what it sees.
        blind_to: one sentence: what it cannot see.
        threshold_source: where its threshold comes from.
        weight: its share of the alarm budget, relative to the other detectors.
    """

    name: str
    layer: Layer
    statistic: str
    description: str
    blind_to: str
    threshold_source: str
    weight: float

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        """The counts it needs."""
        ...

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        """Its marks with their counts; each family holds alike marks, whose usual wander is pooled."""
        ...
