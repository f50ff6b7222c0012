"""Outcomes against what the scores let expect: other customers are no news, another world is."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from andon.adapters.memory_log import MemoryLog
from andon.base.interval import Grid
from andon.detect.builtin.calibration import Calibration
from andon.detect.history import History
from andon.detect.jump import jumps
from andon.detect.mark import MarkSeries
from andon.detect.planning import make_plan, watch
from andon.inventory.model import Columns, Model

START = datetime(2026, 1, 5, tzinfo=UTC)
MODEL = Model("m", Columns("id", "ts", score="score", label="bad"), label_delay=timedelta(0))
CHANGE, ROWS = 3_000, 4_500


def log_of(scores: np.ndarray, outcomes: np.ndarray) -> MemoryLog:
    """Five rows an hour."""
    rows = (
        {"id": str(n), "ts": START + timedelta(minutes=12 * n), "score": float(score), "bad": int(bad)}
        for n, (score, bad) in enumerate(zip(scores, outcomes, strict=True))
    )
    return MemoryLog(rows, MODEL)


def overall(dice: np.random.Generator, scores: np.ndarray, risk: np.ndarray) -> MarkSeries:
    """The mark over all bins, when a row turns out bad by its risk."""
    known = dice.beta(2, 5, 3_000)
    reference, log = log_of(known, dice.random(3_000) < known), log_of(scores, dice.random(len(scores)) < risk)
    watched, end = watch(MODEL, reference), START + timedelta(days=60)
    plan = make_plan(watched, Calibration().cubes(watched), Grid(timedelta(hours=6)))
    history = History.of(plan, log.summarize(plan, end), reference.summarize(plan, end), end)
    [_, family] = Calibration().series(watched, history)
    return family


def largest(family: MarkSeries) -> float:
    return max(float(np.nanmax(np.abs(each.z))) for each in jumps(family) if np.isfinite(each.z).any())


@pytest.fixture
def dice() -> np.random.Generator:
    return np.random.default_rng(5)


def test_riskier_customers_who_turn_out_as_scored_are_no_jump(dice: np.random.Generator) -> None:
    scores = np.concatenate((dice.beta(2, 5, CHANGE), dice.beta(4, 4, ROWS - CHANGE)))
    family = overall(dice, scores, scores)
    plain = MarkSeries(family.marks, family.log, family.reference)
    assert largest(plain) > 5, "more of them turn out bad"
    assert largest(family) < 4


def test_the_same_customers_who_turn_out_worse_are_one(dice: np.random.Generator) -> None:
    scores = dice.beta(2, 5, ROWS)
    assert largest(overall(dice, scores, np.where(np.arange(ROWS) < CHANGE, scores, scores + 0.2))) > 5
