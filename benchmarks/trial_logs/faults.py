"""What can go wrong, each as a change of the log's rows; a `Fault` adds when, where and what the truth file says."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

Change = Callable[[pd.DataFrame, np.ndarray, np.random.Generator], None]
"""Alters, in the log, the rows of the mask."""

PIPELINE, DRIFT = "data_pipeline_corruption", "model_drift"
PERFORMANCE, BIAS = "model_performance_degradation", "bias_and_fairness_violation"


@dataclass(frozen=True, slots=True)
class Harm:
    """A change and the step at which it strikes: input, output, label, feed, rows, or none (a version, the world)."""

    stage: str
    change: Change = field(default=lambda _log, _rows, _rng: None)


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure: `begins` and `ends` are shares of the log's days; `where` is SQL over the log's columns.

    `marks` is SQL that names the rows hit, where only a share of the slice is; `version` the version at fault.
    """

    type: str
    cause: str
    begins: float
    harm: Harm
    ends: float | None = None
    where: str | None = None
    features: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    share: float = 1.0
    marks: str | None = None
    version: str | None = None
    category: str = "prompt_or_integration_bug"
    listed: str | None = None


NOTHING = Harm("none")


def scaled(features: tuple[str, ...], factor: float, offset: float = 0.0) -> Harm:
    """Another unit: value * factor + offset."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        for name in features:
            values = log[name].astype(float)
            log[name] = values.where(~rows, (values * factor + offset).round(4))

    return Harm("input", change)


def filled(features: tuple[str, ...], value: object) -> Harm:
    """A default, or null, instead of the value."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        for name in features:
            column = (
                log[name].astype(float)
                if value is None and pd.api.types.is_numeric_dtype(log[name])
                else log[name].copy()
            )
            column[rows] = value
            log[name] = column

    return Harm("input", change)


def frozen(features: tuple[str, ...], per: str | None = None) -> Harm:
    """The last value before the fault for ever after, of each entity if `per` names one."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        first = int(np.argmax(rows))
        entity = log[per].to_numpy() if per else np.zeros(len(log), int)
        for name in features:
            before = pd.Series(log[name].to_numpy()[:first]).groupby(entity[:first]).last()
            column = log[name].copy()
            column[rows] = pd.Series(entity[rows]).map(before).to_numpy()
            log[name] = column

    return Harm("input", change)


def swapped(one: str, other: str) -> Harm:
    """Two columns take each other's place."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        first, second = log[one].copy(), log[other].copy()
        log[one] = first.where(~rows, second)
        log[other] = second.where(~rows, first)

    return Harm("input", change)


def shuffled(features: tuple[str, ...]) -> Harm:
    """A wrong join: the values of another row of the same slice."""

    def change(log: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> None:
        order = rng.permutation(int(rows.sum()))
        for name in features:
            column = log[name].copy()
            column[rows] = column[rows].to_numpy()[order]
            log[name] = column

    return Harm("input", change)


def renamed(feature: str, names: Callable[[str], str]) -> Harm:
    """Categories under other names."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        column = log[feature].copy()
        column[rows] = [v if v is None else names(v) for v in column[rows]]
        log[feature] = column

    return Harm("input", change)


def clipped(feature: str, low: float, high: float) -> Harm:
    """A field too small for the value."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        log[feature] = log[feature].where(~rows, log[feature].clip(low, high))

    return Harm("input", change)


def rescored(how: Callable[[np.ndarray], np.ndarray], threshold: float | None = None) -> Harm:
    """Scores changed after the model; decisions follow where a threshold is given, else they stay."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        scores = log["score"].to_numpy(copy=True)
        scores[rows] = np.round(how(scores[rows]), 5)
        log["score"] = scores
        if threshold is not None:
            decided = log["prediction"].to_numpy(copy=True)
            decided[rows] = scores[rows] >= threshold
            log["prediction"] = decided

    return Harm("output", change)


def repredicted(how: Callable[[np.ndarray], np.ndarray]) -> Harm:
    """Predictions changed after the model."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        given = log["prediction"].to_numpy(copy=True)
        given[rows] = how(given[rows])
        log["prediction"] = given

    return Harm("output", change)


def turned(chance: float) -> Harm:
    """The world turns: labels become the opposite with a probability."""

    def change(log: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> None:
        hit = rows & (rng.random(len(log)) < chance)
        log["label"] = log["label"].where(~hit, 1.0 - log["label"])

    return Harm("label", change)


def relabelled(source: str) -> Harm:
    """Labels by another definition, which the table holds beside the first."""

    def change(log: pd.DataFrame, rows: np.ndarray, _rng: np.random.Generator) -> None:
        log["label"] = log["label"].where(~rows, log[source])

    return Harm("label", change)


UNFED = Harm("feed")
"""No label arrives any more."""

TWICE = Harm("rows")
"""Each row of the slice is sent again a few seconds later, under an id of its own."""


def mislabelled(where: Callable[[pd.DataFrame], pd.Series], chance: float, to: object) -> Callable[..., pd.DataFrame]:
    """A bad training set: labels of some rows recorded as `to`."""

    def teach(train: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        hit = where(train).to_numpy() & (rng.random(len(train)) < chance)
        return train.assign(label=train["label"].where(~hit, to))

    return teach


def muddled(where: Callable[[pd.DataFrame], pd.Series]) -> Callable[..., pd.DataFrame]:
    """A bad training set: labels of some rows dealt out anew among them."""

    def teach(train: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        hit = where(train).to_numpy()
        labels = train["label"].to_numpy(copy=True)
        labels[hit] = rng.permutation(labels[hit])
        return train.assign(label=labels)

    return teach
