"""NannyML: performance, data quality and drift by chunk, against thresholds from the reference's own chunks."""

from collections.abc import Iterator
from typing import Any

import nannyml as nml
import pandas as pd
from nannyml.thresholds import ConstantThreshold

from quality_peers.alerts import Alert, Kind, Where
from quality_peers.case import Case
from quality_peers.windows import Least, Window, floor, following

pd.set_option("future.infer_string", False)  # its regressors do not take the strings of pandas 3  # noqa: FBT003

LEAST = Least(100, reference=6)
"""Six reference chunks are the fewest that its documentation calls reasonable; small ones widen its thresholds."""
UNSEEN_MAX = 0.01
"""Its default, none at all, alerts for a single row."""


def alerts(case: Case) -> Iterator[Alert]:
    """Every alert of every calculator, with its defaults."""
    log, reference = (table.to_pandas() for table in (case.log, case.reference))
    axis = {"timestamp_column_name": case.time, "chunk_period": case.period}
    yield from _quality(case, log, reference, axis)
    yield from _drift(case, log, reference, axis)
    yield from _performance(case, log, reference, axis)


def _quality(case: Case, log: pd.DataFrame, reference: pd.DataFrame, axis: dict[str, Any]) -> Iterator[Alert]:
    missing = nml.MissingValuesCalculator(column_names=case.watched, **axis).fit(reference).calculate(log)
    for window, column in _alerting(case, missing, case.watched, "upper"):
        yield Alert(window, Kind.QUALITY, "missing values", window.end, (column,), Where(column))
    if not case.categories:
        return
    some = ConstantThreshold(upper=UNSEEN_MAX)
    unseen = nml.UnseenValuesCalculator(column_names=case.categories, threshold=some, **axis)
    for window, column in _alerting(case, unseen.fit(reference).calculate(log), case.categories, "upper"):
        part = log[(log[case.time] >= window.start) & (log[case.time] < window.end)]
        values = tuple(sorted(map(str, set(part[column].dropna()) - set(case.known_values[column]))))
        yield Alert(window, Kind.NEW_VALUE, "unseen values", window.end, (column,), Where(column, values))


def _drift(case: Case, log: pd.DataFrame, reference: pd.DataFrame, axis: dict[str, Any]) -> Iterator[Alert]:
    single = nml.UnivariateDriftCalculator(column_names=case.watched, treat_as_categorical=case.categories, **axis)
    table = single.fit(reference).calculate(log).filter(period="analysis").to_df()
    for column in case.watched:
        for _, row in table[table[column, "jensen_shannon", "alert"].astype(bool)].iterrows():
            window = _window(row["chunk", "chunk", "start_date"], case.period)
            yield Alert(window, Kind.DRIFT, "column drift", window.end, (column,))
    many = nml.DataReconstructionDriftCalculator(column_names=case.watched, **axis).fit(reference).calculate(log)
    for window, _ in _alerting(case, many, ["reconstruction_error"]):
        yield Alert(window, Kind.DRIFT, "multivariate drift", window.end)


def _performance(case: Case, log: pd.DataFrame, reference: pd.DataFrame, axis: dict[str, Any]) -> Iterator[Alert]:
    """A metric that got better is no incident: only the bad side of the thresholds counts."""
    known = reference[reference[case.label].notna()]
    answers = {"y_pred": case.prediction, "y_true": case.label, **axis}
    if case.regression:
        metrics, side = ["mae", "rmse"], "upper"
        estimator = nml.DLE(feature_column_names=case.watched, metrics=metrics, **answers)
        answers |= {"problem_type": "regression", "metrics": metrics}
    else:
        metrics, side = ["roc_auc", "f1"], "lower"
        answers |= {"problem_type": "classification_binary", "metrics": metrics, "y_pred_proba": case.score}
        estimator = nml.CBPE(**answers)
    for window, metric in _alerting(case, estimator.fit(known).estimate(log), metrics, side):
        yield Alert(window, Kind.PERFORMANCE, f"estimated {metric} worse", window.end)
    realised = nml.PerformanceCalculator(**answers).fit(known).calculate(log[log[case.label].notna()])
    for window, metric in _alerting(case, realised, metrics, side):
        if window in case.labels_known_at:
            yield Alert(window, Kind.PERFORMANCE, f"realised {metric} worse", case.labels_known_at[window])


def _alerting(case: Case, result: Any, names: list[str], side: str = "") -> Iterator[tuple[Window, str]]:
    """The windows and names that a calculator alerts on; with a side, only if the value lies beyond that threshold."""
    table = result.filter(period="analysis").to_df()
    for name in names:
        for _, row in table.iterrows():
            if row[name, "alert"] and (not side or _passed(row, name, side)):
                yield _window(row["chunk", "start_date"], case.period), name


def _passed(row: pd.Series, name: str, side: str) -> bool:
    limit = row[name, f"{side}_threshold"]
    return bool(row[name, "value"] > limit if side == "upper" else row[name, "value"] < limit)


def _window(start: pd.Timestamp, period: str) -> Window:
    begun = floor(start.to_pydatetime(), period)
    return Window(begun, following(begun, period))
