"""Whether the labels still come: of the decisions whose label should be there by now, how many have none.

The delays of the reference say when that is: by twice the time in which 95 % of its labels had come. Every decision is
judged once, at that age, so what is known of it then never changes.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from andon.detect.detector import JUMP_TEST
from andon.detect.finding import Layer
from andon.detect.history import History, Triangle
from andon.detect.mark import EFFECT_MEDIUM, Late, Mark, MarkSeries, Side
from andon.detect.planning import LABEL, Watched, delay_of
from andon.telemetry.plan import Cube
from andon.telemetry.summary import LAG_MAX, Int64

USUAL_SHARE = 0.95
"""The share of the reference's labels whose delay counts as usual."""
PATIENCE = 2
"""So many times the usual delay a label may take: a feed that is only half as fast has not failed."""


class LabelFeed:
    """Share of decisions without a label at the age at which nearly all of the reference had theirs."""

    name = "label_feed"
    layer = Layer.INFRASTRUCTURE
    statistic = "effect_h"
    description = "Labels stop: decisions have none at twice the age at which 95 % of the reference's labels had come."
    blind_to = (
        "Labels that come up to twice as late; fewer than about 1 in 16 labels lost; labels that no decision could get "
        "any more (selective labels: a move of the decisions then moves their share)."
    )
    threshold_source = JUMP_TEST.replace("effect floor h = 0.2", "effect floor h = 0.5, medium")
    weight = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return (Cube((LABEL,), known_at=True),) if LABEL in watched.codings else ()

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        if LABEL not in watched.codings:
            return
        decided, delays, rows = history.reference_delays(LABEL)
        limit = _limit(delays, rows)
        if limit is None:
            return
        late = _missing(history, limit)
        days = limit * history.plan.grid.length / timedelta(days=1)
        what = f"{watched.codings[LABEL].column} has not come {days:.3g} days after the decision"
        mark = Mark(LABEL, (), what, (), None, among_all=True, effect_min=EFFECT_MEDIUM, only_rises=True)
        yield MarkSeries(
            (mark,),
            Side(late.count.by_arrival()[np.newaxis], late.total.by_arrival()[np.newaxis]),
            _reference(history, decided, delays, rows, limit),
            late=(late,),
        )


def _limit(delays: Int64, rows: Int64) -> int | None:
    """The age, in buckets, at which a label counts as missing; None where the reference does not tell."""
    if not rows.sum():
        return None
    limit = PATIENCE * (delay_of(USUAL_SHARE, delays, rows) + 1)  # delays are floored to whole buckets
    return limit if limit < LAG_MAX else None


def _missing(history: History, limit: int) -> Late:
    """The log's decisions by when they were judged: all, and those without a label then."""
    buckets = history.buckets
    judged = np.searchsorted(buckets, buckets + limit)
    decided = np.flatnonzero(judged < len(buckets))
    labelled = history.known_counts(LABEL)
    in_time = labelled.where(labelled.arrival <= judged[labelled.event]).by_event(len(buckets))
    rows = history.counts()

    def judged_rows(number: Int64) -> Triangle:
        none = np.zeros((0, len(decided)), dtype=np.int64)
        return Triangle(decided, judged[decided], none, number[decided], len(buckets))

    return Late(judged_rows(rows - in_time.astype(np.int64)), judged_rows(rows), missing=True)


def _reference(history: History, decided: Int64, delays: Int64, rows: Int64, limit: int) -> Side:
    """The reference's decisions that were old enough when its last label came, and those without a label in time."""
    buckets = history.reference_buckets
    in_time = np.zeros(len(buckets), dtype=np.int64)
    soon = delays <= limit
    np.add.at(in_time, np.searchsorted(buckets, decided[soon]), rows[soon])
    known = buckets + limit <= (decided + delays).max()
    total = np.where(known, history.reference_counts(), 0)
    return Side((total - np.where(known, in_time, 0))[np.newaxis], total[np.newaxis])
