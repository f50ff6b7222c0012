"""Honest models of scikit-learn behind the logs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from trial_logs.sources import Table


@dataclass(frozen=True, slots=True)
class Answers:
    """Scores (null for a regression; the winner's probability for classes) and predictions of some rows."""

    score: np.ndarray | None
    prediction: np.ndarray


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted pipeline with the threshold of a binary decision."""

    table: Table
    pipeline: Pipeline
    threshold: float | None = None

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of 1 of each row of a binary table."""
        return np.asarray(self.pipeline.predict_proba(frame[list(self.table.features)])[:, 1]).round(5)

    def answer(self, frame: pd.DataFrame) -> Answers:
        """Decide on the rows as they are seen."""
        match self.table.problem:
            case "binary":
                score = self.raw(frame)
                return Answers(score, (score >= (self.threshold or 0.5)).astype(np.int64))
            case "multiclass":
                shares = self.pipeline.predict_proba(frame[list(self.table.features)])
                classes = np.asarray(self.pipeline.classes_, dtype=object)
                return Answers(shares.max(axis=1).round(5), classes[shares.argmax(axis=1)])
            case _:
                return Answers(None, np.asarray(self.pipeline.predict(frame[list(self.table.features)])).round(3))


def fit(table: Table, train: pd.DataFrame, learner: str, seed: int, threshold: float | None = None) -> Model:
    """Fit a learner; a binary model without a threshold decides 1 for as large a share as the label has in training."""
    numbers, words = _kinds(table)
    pipeline = _pipeline(learner, table.problem, numbers, words, seed)
    pipeline.fit(train[list(table.features)], train["label"])
    model = Model(table, pipeline, threshold)
    if table.problem == "binary" and threshold is None:
        model = Model(table, pipeline, round(float(np.quantile(model.raw(train), 1 - train["label"].mean())), 6))
    return model


def _kinds(table: Table) -> tuple[list[str], list[str]]:
    numbers = [f for f in table.features if pd.api.types.is_numeric_dtype(table.frame[f].dtype)]
    return numbers, [f for f in table.features if f not in numbers]


def _pipeline(learner: str, problem: str, numbers: list[str], words: list[str], seed: int) -> Pipeline:
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    spread = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    if learner == "boosting":
        columns = ColumnTransformer([("n", "passthrough", numbers), ("w", codes, words)])
        kind = HistGradientBoostingRegressor if problem == "regression" else HistGradientBoostingClassifier
        return make_pipeline(columns, kind(max_iter=120, learning_rate=0.08, max_leaf_nodes=23, random_state=seed))
    if learner == "forest":
        columns = ColumnTransformer([("n", SimpleImputer(strategy="median"), numbers), ("w", codes, words)])
        kind = RandomForestRegressor if problem == "regression" else RandomForestClassifier
        return make_pipeline(columns, kind(n_estimators=80, min_samples_leaf=8, n_jobs=1, random_state=seed))
    filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer([("n", filled, numbers), ("w", spread, words)])
    return make_pipeline(columns, Ridge() if problem == "regression" else LogisticRegression(max_iter=1500))
