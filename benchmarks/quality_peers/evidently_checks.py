"""Evidently, one report per window against the whole reference, as its documentation shows for batches."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
from evidently import BinaryClassification, DataDefinition, Dataset, Regression, Report
from evidently.core.tests import Reference
from evidently.metrics import (
    MAE,
    RMSE,
    Accuracy,
    F1Score,
    MissingValueCount,
    OutListValueCount,
    OutRangeValueCount,
    Precision,
    Recall,
    RocAuc,
)
from evidently.presets import DataDriftPreset
from evidently.tests import gte, lte

from quality_peers.alerts import Alert, Kind, Where
from quality_peers.case import Case
from quality_peers.windows import Least, Window

LEAST = Least(300, shortest="W")
"""By chance alone its default distance is about 1.3 / sqrt(rows): 200 rows reach the default threshold, 0.1."""
STRANGE_MAX = 0.01
"""The share of unseen values, or of values out of range, that is let pass: its defaults alert for a single row."""
DRIFT_SHARE = 0.5
"""The preset's default: the data set drifts if half of its columns do."""


def alerts(case: Case) -> Iterator[Alert]:
    """Every check that fails, window by window."""
    log, reference = case.log.to_pandas(), case.reference.to_pandas()
    for window in case.windows:
        part = log[(log[case.time] >= window.start) & (log[case.time] < window.end)]
        yield from _inputs(case, window, part, reference)
        known_at = case.labels_known_at.get(window)
        if known_at:
            yield from _performance(case, window, part, reference, known_at)


def _inputs(case: Case, window: Window, part: pd.DataFrame, reference: pd.DataFrame) -> Iterator[Alert]:
    alert = partial(Alert, window, known_at=window.end)
    definition = DataDefinition(numerical_columns=case.numbers, categorical_columns=case.categories)
    filled = [c for c in case.watched if part[c].notna().any()]
    sets = [Dataset.from_pandas(frame[case.watched], data_definition=definition) for frame in (part, reference)]
    missing = [MissingValueCount(column=c, share_tests=[lte(Reference(relative=0.1))]) for c in case.watched]
    unseen = [
        OutListValueCount(column=c, values=case.known_values[c], share_tests=[lte(STRANGE_MAX)])
        for c in case.categories
        if c in filled
    ]
    ranges = [
        OutRangeValueCount(
            column=c, left=float(reference[c].min()), right=float(reference[c].max()), share_tests=[lte(STRANGE_MAX)]
        )
        for c in case.numbers
        if c in filled
    ]
    done = Report([DataDriftPreset(columns=filled), *missing, *unseen, *ranges]).run(*sets).dict()
    drifted = [m["config"]["column"] for m in done["metrics"] if _is(m, "ValueDrift") and _drifts(m)]
    if len(drifted) >= DRIFT_SHARE * len(filled):
        yield alert(Kind.DRIFT, "dataset drift", columns=tuple(drifted))
    for column in drifted:
        yield alert(Kind.DRIFT, "column drift", columns=(column,))
    for test in failed(done):
        column = test["metric_config"]["params"]["column"]
        if _tests(test, "MissingValueCount"):
            yield alert(Kind.QUALITY, "missing values", columns=(column,), rows=Where(column))
        elif _tests(test, "OutListValueCount"):
            values = sorted(set(part[column].dropna()) - set(case.known_values[column]))
            yield alert(Kind.NEW_VALUE, "unseen values", columns=(column,), rows=Where(column, tuple(map(str, values))))
        else:
            yield alert(Kind.QUALITY, "out of range", columns=(column,))


def _performance(
    case: Case, window: Window, part: pd.DataFrame, reference: pd.DataFrame, known_at: datetime
) -> Iterator[Alert]:
    names = [case.label, case.prediction, *([case.score] if case.score else [])]
    labelled = [frame.loc[frame[case.label].notna(), names] for frame in (part, reference)]
    if case.regression:
        worse = [lte(Reference(relative=0.1))]
        metrics = [MAE(mean_tests=worse), RMSE(tests=worse)]
        definition = DataDefinition(regression=[Regression(target=case.label, prediction=case.prediction)])
    else:
        worse = [gte(Reference(relative=0.2))]
        metrics = [metric(tests=worse) for metric in (Accuracy, RocAuc, F1Score, Precision, Recall)]
        labelled = [frame.astype({case.label: int, case.prediction: int}) for frame in labelled]
        answers = BinaryClassification(
            target=case.label, prediction_labels=case.prediction, prediction_probas=case.score, pos_label=1
        )
        definition = DataDefinition(classification=[answers])
    if any(frame[case.label].nunique() < 2 for frame in labelled):  # noqa: PLR2004  # no ROC of one class
        return
    done = Report(metrics).run(*(Dataset.from_pandas(f, data_definition=definition) for f in labelled)).dict()
    for test in failed(done):
        name = test["metric_config"]["params"]["type"].rsplit(":", 1)[-1]
        yield Alert(window, Kind.PERFORMANCE, f"{name} worse", known_at)


def failed(done: dict[str, Any]) -> list[dict[str, Any]]:
    """The tests of a report that failed."""
    return [test for test in done["tests"] if str(test["status"]).rsplit(".", 1)[-1] == "FAIL"]


def _is(metric: dict[str, Any], name: str) -> bool:
    return str(metric["config"]["type"]).endswith(f":{name}")


def _tests(test: dict[str, Any], name: str) -> bool:
    return str(test["metric_config"]["params"]["type"]).endswith(f":{name}")


def _drifts(metric: dict[str, Any]) -> bool:
    """Scores are p-values for some methods and distances for others."""
    config = metric["config"]
    if "p_value" in config["method"]:
        return bool(metric["value"] < config["threshold"])
    return bool(metric["value"] >= config["threshold"])
