"""Plain practice: the thresholds that guides to model monitoring name, an alert on each, window by window."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from quality_peers.alerts import Alert, Kind, Where
from quality_peers.case import Case
from quality_peers.windows import Least, Window

LEAST = Least(300, shortest="W")
PSI_MAX = 0.2
BINS = 10
EMPTY = 1e-4
"""Stands for the share of an empty bin, as is usual."""
NULLS_MORE = 0.05
NEW_MIN = 0.01
SIGMAS, TRAIL, TRAIL_MIN = 3.0, 14, 7
"""A mean further from those of the last 14 windows than three of their standard deviations."""
ACCURACY_DROP = 0.05
ERROR_RISE = 1.2
FOUR_FIFTHS = 0.8
GROUP_MIN = 30
REFERENCE_MIN = 100
"""A segment with fewer rows in the reference is not watched alone."""

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Part:
    """A slice of the traffic: all of it, or one segment.

    Attributes:
        log: of each window, its columns.
        reference: its columns.
    """

    log: Mapping[Window, Columns]
    reference: Columns
    segment: Where | None


def alerts(case: Case) -> Iterator[Alert]:
    """Every threshold passed, in all traffic and in each declared segment."""
    names = {*case.watched, case.prediction, case.label, *case.model["segments"], *case.model["protected_attributes"]}
    log, reference = ({n: _array(table[n].to_pylist()) for n in names} for table in (case.log, case.reference))
    places = [np.searchsorted(case.times, [w.start, w.end]) for w in case.windows]
    windows = {w: {n: v[a:b] for n, v in log.items()} for w, (a, b) in zip(case.windows, places, strict=True)}
    whole = Part(windows, reference, None)
    yield from _watch(case, whole)
    yield from _fairness(case, whole)
    for column in case.model["segments"]:
        for value in sorted(set(reference[column]) - {None}):
            part = _segment(whole, column, value)
            if len(part.reference[column]) >= REFERENCE_MIN:
                yield from _watch(case, part)


def _segment(whole: Part, column: str, value: Any) -> Part:
    def only(columns: Columns) -> Columns:
        mask = columns[column] == value
        return {name: values[mask] for name, values in columns.items()}

    held = {window: only(columns) for window, columns in whole.log.items()}
    enough = {window: columns for window, columns in held.items() if len(columns[column]) >= GROUP_MIN}
    return Part(enough, only(whole.reference), Where(column, (str(value),)))


def _watch(case: Case, part: Part) -> Iterator[Alert]:
    for column in case.watched:
        yield from _feature(case, part, column)
    for column in filter(None, (case.score, case.prediction)):
        means = {w: float(np.nanmean(c[column].astype(float))) for w, c in part.log.items()}
        for window in restless(means):
            yield Alert(window, Kind.DRIFT, "rolling z", window.end, (), None, part.segment)
    yield from _performance(case, part)


def _feature(case: Case, part: Part, column: str) -> Iterator[Alert]:
    base = part.reference[column]
    known = case.known_values.get(column)
    for window, columns in part.log.items():
        values = columns[column]
        if np.mean(_null(values)) > np.mean(_null(base)) + NULLS_MORE:
            yield Alert(window, Kind.QUALITY, "nulls", window.end, (column,), Where(column), part.segment)
        if psi(base, values) > PSI_MAX:
            yield Alert(window, Kind.DRIFT, "PSI", window.end, (column,), None, part.segment)
        if known is not None:
            fresh = np.array([v is not None and v not in known for v in values])
            if fresh.mean() > NEW_MIN:
                new = Where(column, tuple(sorted({str(v) for v in values[fresh]})))
                yield Alert(window, Kind.NEW_VALUE, "new category", window.end, (column,), new, part.segment)


def _performance(case: Case, part: Part) -> Iterator[Alert]:
    base = _error(case, part.reference)
    for window, columns in part.log.items():
        known_at: datetime | None = case.labels_known_at.get(window)
        now = _error(case, columns)
        if known_at is None or now is None or base is None:
            continue
        if now > (base * ERROR_RISE if case.regression else base + ACCURACY_DROP):
            yield Alert(window, Kind.PERFORMANCE, "error", known_at, (), None, part.segment)


def _error(case: Case, columns: Columns) -> float | None:
    """The share of wrong answers, or the mean absolute error; None without enough labels."""
    label, said = (columns[name].astype(float) for name in (case.label, case.prediction))
    known = ~np.isnan(label)
    if known.sum() < GROUP_MIN:
        return None
    off = np.abs(label - said)[known]
    return float(off.mean() if case.regression else (off > 0).mean())


def _fairness(case: Case, whole: Part) -> Iterator[Alert]:
    good = case.model.get("favourable_prediction")
    if good is None:
        return
    for column in case.model["protected_attributes"]:
        before = _least(whole.reference, column, case.prediction, good)
        if before is None or before[0] < FOUR_FIFTHS:
            continue  # it was so from the start: no incident
        for window, columns in whole.log.items():
            now = _least(columns, column, case.prediction, good)
            if now is not None and now[0] < FOUR_FIFTHS:
                yield Alert(window, Kind.FAIRNESS, "four fifths", window.end, (), Where(column, (now[1],)))


def _least(columns: Columns, column: str, prediction: str, good: object) -> tuple[float, str] | None:
    """The lowest group's rate of favourable answers as a share of the highest's, and which group it is."""
    rates = {}
    for value in set(columns[column]) - {None}:
        mask = columns[column] == value
        if mask.sum() >= GROUP_MIN:
            rates[str(value)] = float((columns[prediction][mask] == good).mean())
    if len(rates) < 2 or max(rates.values()) == 0:  # noqa: PLR2004  # nobody to compare with
        return None
    least = min(rates, key=rates.__getitem__)
    return rates[least] / max(rates.values()), least


def psi(reference: np.ndarray, values: np.ndarray) -> float:
    """The population stability index over the reference's deciles, or over categories; nulls are left out."""
    base, now = reference[~_null(reference)], values[~_null(values)]
    if not len(base) or not len(now):
        return 0.0
    if base.dtype == object:
        names = sorted({*base, *now}, key=str)
        counts = [np.array([np.sum(side == name) for name in names]) for side in (base, now)]
    else:
        edges = np.unique(np.quantile(base, np.linspace(0, 1, BINS + 1)[1:-1]))
        counts = [np.bincount(np.searchsorted(edges, side, "right"), minlength=len(edges) + 1) for side in (base, now)]
    q, p = (np.maximum(n / n.sum(), EMPTY) for n in counts)
    return float(np.sum((p - q) * np.log(p / q)))


def restless(means: Mapping[Window, float]) -> Iterator[Window]:
    """The windows whose mean stands three standard deviations from the windows before."""
    before: list[float] = []
    for window, mean in means.items():
        past = before[-TRAIL:]
        if len(past) >= TRAIL_MIN and abs(mean - np.mean(past)) > SIGMAS * np.std(past, ddof=1):
            yield window
        before.append(mean)


def _array(values: Sequence[Any]) -> np.ndarray:
    """Numbers as floats, nulls as NaN; text as objects."""
    text = any(isinstance(v, str | bool) for v in values)
    return np.array(values, dtype=object if text else float)


def _null(values: np.ndarray) -> np.ndarray:
    return np.equal(values, None) if values.dtype == object else np.isnan(values)
