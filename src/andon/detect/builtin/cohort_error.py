"""Wrong answers by cohort: of the decisions of one time, judged together once most of their labels have come.

In the order in which labels arrive a sudden failure is a slow ramp when labels take anything between days and weeks:
each day's labels are of old and new decisions. By cohort (vintage analysis, as lenders call it) it stays sudden, at the
price of waiting. Every decision is judged once, at the age at which nine in ten of the reference's labels had come, by
a label that came until then; so what is known of it never changes, and which labels come early biases nothing.

Counted like this, decisions take few cells however their labels come, so that columns which nobody declared as slices
can be followed too.
"""

from collections.abc import Iterator

from andon.detect.builtin import error_rate, late_marks, regression_error
from andon.detect.builtin.late_marks import Cut, Labels
from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History
from andon.detect.mark import MarkSeries
from andon.detect.planning import Watched
from andon.telemetry.plan import Cube

SPREAD_MIN = 2
"""Buckets between the early and the late labels below which the order of arrival is as good as that of decision."""


class CohortError:
    """The marks of wrong classes or wrong numbers, each decision counted once it is old enough."""

    name = "cohort_error"
    layer = Layer.PERFORMANCE
    statistic = "effect_h"
    description = (
        "The model is wrong more or less often than before among the decisions of one time, once they are old enough "
        "for nine in ten of their labels: sharp where labels take from days to weeks; by undeclared columns too."
    )
    blind_to = (
        "Decisions younger than that; labels that come later than nine in ten of the reference's; where two undeclared "
        "columns meet. Where labels come together it follows undeclared columns only: by arrival is as sharp."
    )
    threshold_source = JUMP_TEST
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        if watched.ripeness is None:
            return ()
        classes = late_marks.cubes(error_rate.cuts(watched, _cuts), error_rate.COLUMNS, watched.ripeness)
        numbers = late_marks.cubes(regression_error.cuts(watched, _cuts), regression_error.COLUMNS, watched.ripeness)
        usual = late_marks.cubes(((),), regression_error.COLUMNS) if numbers else ()  # says which errors are large
        return (*classes, *numbers, *usual)

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if watched.ripeness is None:
            return
        labels = Labels(history, watched.ripeness)
        classes, numbers = error_rate.cuts(watched, _cuts), regression_error.cuts(watched, _cuts)
        yield from late_marks.families(error_rate.faults(watched), watched, labels, classes, error_rate.COLUMNS)
        if numbers:
            faults = regression_error.faults(watched, history)
            yield from late_marks.families(faults, watched, labels, numbers, regression_error.COLUMNS)


def _cuts(watched: Watched) -> tuple[Cut, ...]:
    ripe = watched.ripeness
    together = ripe is None or ripe.age - ripe.early < SPREAD_MIN
    return (*(() if together else late_marks.declared_cuts(watched)), *late_marks.undeclared_cuts(watched))
