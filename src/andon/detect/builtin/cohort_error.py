"""Wrong answers by cohort: of the decisions of one time, judged together once most of their labels have come.

In the order in which labels arrive a sudden failure is a slow ramp when labels take anything between days and weeks:
each day's labels are of old and new decisions. By cohort (vintage analysis, as lenders call it) it stays sudden, at the
price of waiting. Every decision is judged once, at the age at which nine in ten of the reference's labels had come, by
a label that came until then; so what is known of it never changes, and which labels come early biases nothing.
"""

from collections.abc import Iterator

import numpy as np

from andon.detect.builtin import error_rate, regression_error
from andon.detect.builtin.late_marks import Labels
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube
from andon.telemetry.summary import LAG_MAX

MATURE_SHARE = 0.9
"""The share of the reference's labels that come until a decision is judged."""
EARLY_SHARE = 0.1
"""The share of the reference's labels that come first."""
SPREAD_MIN = 2
"""Buckets between the early and the late labels below which the order of arrival is as good as that of decision."""


class CohortError:
    """The marks of wrong classes or wrong numbers, each decision counted once it is old enough."""

    name = "cohort_error"
    layer = Layer.PERFORMANCE
    statistic = "effect_h"
    description = (
        "The model is wrong more or less often than before among the decisions of one time, once they are old enough "
        "for nine in ten of their labels: sharp where labels take from days to weeks."
    )
    blind_to = (
        "Decisions younger than that; labels that come later than nine in ten of the reference's; where labels come "
        "together it adds nothing to the errors by arrival, and is not asked."
    )
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return (*error_rate.cubes(watched), *regression_error.cubes(watched))

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        age = self.age(watched, history)
        if age is None:
            return
        labels = Labels(history, age)
        yield from error_rate.families(watched, labels)
        yield from regression_error.families(watched, labels)

    def age(self, watched: Watched, history: History) -> int | None:
        """The age, in buckets, at which decisions are judged; None where no label comes late, or none at all."""
        cubes = self.cubes(watched)
        if not cubes:
            return None
        _, delays, rows = history.reference_delays(*cubes[0].columns)
        if not rows.sum():
            return None
        order = np.argsort(delays, kind="stable")
        came = np.cumsum(rows[order]) / rows.sum()
        early, late = (int(delays[order][np.argmax(came >= part)]) for part in (EARLY_SHARE, MATURE_SHARE))
        return late if late - early >= SPREAD_MIN and late < LAG_MAX else None
