"""The error marks of three classes, against the rates computed row by row."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from andon.adapters.memory_log import MemoryLog
from andon.base.interval import Grid
from andon.detect.builtin.error_rate import ErrorRate
from andon.detect.history import History
from andon.detect.planning import make_plan, watch
from andon.inventory.model import Columns, Model

START = datetime(2026, 1, 5, tzinfo=UTC)
MODEL = Model("m", Columns("id", "ts", prediction="said", label="true"), label_delay=timedelta(0))
CLASSES = ("car", "bus", "tram")


@pytest.fixture(scope="module")
def answers() -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(3)
    true = dice.choice(CLASSES, 900, p=[0.5, 0.3, 0.2])
    return true, np.where(dice.random(900) < 0.3, dice.choice(CLASSES, 900), true)


@pytest.fixture(scope="module")
def shares(answers: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """The share of each mark in the log."""
    pairs = zip(*answers, strict=True)
    rows = [
        {"id": str(n), "ts": START + timedelta(minutes=n), "true": str(true), "said": str(said)}
        for n, (true, said) in enumerate(pairs)
    ]
    log, now = MemoryLog(rows, MODEL), START + timedelta(days=1)
    watched = watch(MODEL, log)
    plan = make_plan(watched, ErrorRate().cubes(watched), Grid(timedelta(hours=1)))
    history = History.of(plan, log.summarize(plan, now), log.summarize(plan, now), now)
    [family] = ErrorRate().series(watched, history)
    return {
        mark.what: float(family.log.count[row].sum() / family.log.total[row].sum())
        for row, mark in enumerate(family.marks)
    }


def test_accuracy(answers: tuple[np.ndarray, np.ndarray], shares: dict[str, float]) -> None:
    true, said = answers
    assert shares["the prediction is wrong (1 - accuracy)"] == pytest.approx((true != said).mean())


@pytest.mark.parametrize("each", CLASSES)
def test_rates_of_a_class(each: str, answers: tuple[np.ndarray, np.ndarray], shares: dict[str, float]) -> None:
    true, said = (values == each for values in answers)
    hits = (true & said).sum()
    recall, precision = hits / true.sum(), hits / said.sum()
    jaccard = 1 - shares[f"{each!r}, true or predicted, is wrong (1 - Jaccard; F1)"]
    assert 1 - shares[f"a true {each!r} is missed (1 - recall)"] == pytest.approx(recall)
    assert 1 - shares[f"a predicted {each!r} is wrong (1 - precision)"] == pytest.approx(precision)
    assert 2 * jaccard / (1 + jaccard) == pytest.approx(2 * recall * precision / (recall + precision))
    assert shares[f"{each!r} is said of another class (false positive rate)"] == pytest.approx(
        (said & ~true).sum() / (~true).sum()
    )
