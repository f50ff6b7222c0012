"""Figures of a scanned log for the gauges of a server: accuracy now and in the reference, and how far inputs moved."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from andon.base import predicate
from andon.base.errors import BadInput
from andon.inventory.model import Model, Problem
from andon.telemetry.question import Question
from andon.telemetry.schema import LogicalType
from andon.telemetry.source import LogSource

LABELLED_MIN: Final = 100
"""Fewer labelled decisions say nothing of an accuracy."""
DAYS: Final = (1, 7, 30)
FEATURES_MAX: Final = 50
VERSIONS_MAX: Final = 20
BINS: Final = 10
VALUES_MAX: Final = 30
SMOOTHING: Final = 0.5
"""Added to each count, so that a cell that one side lacks is no infinity."""


@dataclass(frozen=True, slots=True)
class _Counter:
    """Counts rows of a log from a time on; None: all."""

    log: LogSource
    since: datetime | None = None

    def count(self, condition: str) -> int:
        """How many rows match."""
        return self.log.answer(Question(condition, self.log.period().end, since=self.since)).count


def figures_of(log: LogSource, reference: LogSource, model: Model, now: datetime | None = None) -> dict[str, Any]:
    """`live_accuracy` and `baseline_accuracy` by version, `kl_divergence` by feature; what cannot be said is left out.

    Live is the last day, week or month in which a version had 100 labelled decisions. The divergence is that of
    Kullback and Leibler (1951) of the last day from the reference, in nats, over the reference's tenths or values, each
    count smoothed by 0.5.
    """
    end = min(log.period().end, now) if now is not None else log.period().end
    recent = _Counter(log, max(end - timedelta(days=1), log.period().start))
    return {
        "live_accuracy": _live(log, model, end),
        "baseline_accuracy": _accuracies(_Counter(reference), model),
        "kl_divergence": _divergences(recent, _Counter(reference), model),
    }


def _live(log: LogSource, model: Model, end: datetime) -> dict[str, str]:
    found: dict[str, str] = {}
    for days in DAYS:
        since = end - timedelta(days=days)
        if since > log.period().start:
            found = {**_accuracies(_Counter(log, since), model), **found}
    return {**_accuracies(_Counter(log), model), **found}


def _accuracies(rows: _Counter, model: Model) -> dict[str, str]:
    columns = model.columns
    if columns.prediction is None or columns.label is None or model.problem in (Problem.REGRESSION, Problem.TEXT):
        return {}
    versions = [("", "true")]
    if columns.version is not None and columns.version in rows.log.schema().types:
        values = rows.log.profile_category(columns.version).values[:VERSIONS_MAX]
        versions = [(name, predicate.equals(columns.version, name)) for name, _ in values]
    unknown = predicate.any_of(predicate.is_null(columns.prediction), predicate.is_null(columns.label))
    wrong = predicate.differs(columns.prediction, columns.label)
    found = {}
    for name, of_version in versions:
        try:
            labelled = rows.count(of_version) - rows.count(predicate.all_of(of_version, unknown))
            missed = rows.count(predicate.all_of(of_version, wrong))
        except BadInput:  # columns of two kinds, which nothing compares
            return {}
        if labelled >= LABELLED_MIN:
            found[name] = _decimal(1 - missed / labelled)
    return found


def _divergences(now: _Counter, reference: _Counter, model: Model) -> dict[str, str]:
    types, known = now.log.schema().types, reference.log.schema().types
    found = {}
    for feature in model.features[:FEATURES_MAX]:
        if feature not in types or feature not in known:
            continue
        is_number = LogicalType.NUMBER in (types[feature], known[feature])
        cells = _tenths(reference.log, feature) if is_number else _values(reference.log, feature)
        try:
            found[feature] = _decimal(
                _divergence([now.count(each) for each in cells], [reference.count(each) for each in cells])
            )
        except BadInput:  # its type changed: a scan says so
            continue
    return found


def _tenths(reference: LogSource, feature: str) -> list[str]:
    quantiles = reference.profile_number(feature).quantiles
    edges = sorted({round(edge, 12) for edge in quantiles[2:-2:2] if math.isfinite(edge)})
    if not edges:
        return [predicate.is_null(feature)]
    inner = [
        predicate.all_of(predicate.at_least(feature, low), predicate.below(feature, high))
        for low, high in pairwise(edges)
    ]
    outer = (predicate.below(feature, edges[0]), predicate.at_least(feature, edges[-1]))
    return [predicate.is_null(feature), outer[0], *inner, outer[1]]


def _values(reference: LogSource, feature: str) -> list[str]:
    values = [name for name, _ in reference.profile_category(feature).values[:VALUES_MAX]]
    return [predicate.is_null(feature), *(predicate.equals(feature, each) for each in values)]


def _divergence(now: Sequence[int], before: Sequence[int]) -> float:
    p, q = (_shares(counts) for counts in (now, before))
    return max(0.0, sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)))


def _shares(counts: Sequence[int]) -> list[float]:
    smoothed = [count + SMOOTHING for count in counts]
    return [each / sum(smoothed) for each in smoothed]


def _decimal(value: float) -> str:
    return f"{value:.6f}"
