"""What every detector is: a question about marks, with a share of the alarm budget."""

from collections.abc import Iterator
from typing import Protocol

from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube

JUMP_TEST = (
    "alarm budget (1 false incident per model and quarter over all marks and evaluations, at least 5 standard errors); "
    "effect floor h = 0.2 (Cohen 1988); 1.25 times the largest jump of the log's own past"
)
"""Where the threshold of every detector that leaves the decision to the jump test comes from."""


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
