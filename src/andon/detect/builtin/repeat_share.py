"""Features that are no longer refreshed: an entity's number is its previous one more often than it used to be."""

from collections.abc import Iterator

import numpy as np

from andon.detect.builtin import marks_of
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import Mark, MarkSeries, Side
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube, RepeatCoding

SAME = 1
"""The code of a row whose number is that of the entity's previous row."""


class RepeatShare:
    """Share of rows whose number equals that of the same entity's previous row, of those that have one."""

    name = "repeat_share"
    layer = Layer.BEHAVIOUR
    statistic = "effect_h"
    description = "A numeric feature is stale: entities keep the value of their previous row more often than before."
    blind_to = (
        "Entities that nobody declared (`entity_columns`) or that come once; numbers that seldom change anyhow; "
        "values frozen across entities (see feature_distribution)."
    )
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return tuple(Cube((name,)) for name in watched.repeats)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        for name in watched.repeats:
            coding = watched.codings[name]
            if isinstance(coding, RepeatCoding):
                what = f"{coding.column} is that of the previous row of the same {coding.entity}"
                mark = Mark(name, (SAME,), what, (coding.column,), None, only_rises=True)
                usable = marks_of.among(mark, coding)
                log, reference = history.counts(name), history.reference_counts(name)
                yield MarkSeries(
                    (mark,),
                    Side(log[np.newaxis, :, SAME], (log @ usable)[np.newaxis]),
                    Side(reference[np.newaxis, :, SAME], (reference @ usable)[np.newaxis]),
                )
