"""What a trial is made of, as data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trial_logs.faults import Fault

Teach = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Deploy:
    """Version 2 goes live at a share of the log's days: a part of the traffic until `full`, then all.

    `teach` spoils its training rows; None is an honest retrain on other rows.
    """

    at: float
    version: str = "2.0.0"
    canary: float = 1.0
    full: float | None = None
    teach: Teach | None = None
    learner: str | None = None
    what: str = "scheduled retrain"


@dataclass(frozen=True, slots=True)
class Mix:
    """The share of the rows `where` (SQL), as a function of the share of the log's days and the weekday."""

    where: str
    share: Callable[[np.ndarray, np.ndarray], np.ndarray]
    unknown_before: bool = False


@dataclass(frozen=True, slots=True)
class Extra:
    """A column that the operator adds: values with their shares, independent of all else."""

    name: str
    values: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One scenario: a table replayed over days, with a fault or a kind of control."""

    name: str
    table: str
    rows: int
    days: int
    start: str
    fault: Fault | None = None
    control: str | None = None
    story: str = ""
    reference: int = 4000
    train: int = 6000
    learner: str = "boosting"
    rhythm: tuple[str, str] = ("office", "steady")
    deploy: Deploy | None = None
    mix: Mix | None = None
    extras: tuple[Extra, ...] = ()
    undeclared: tuple[str, ...] = ()
    nightly: bool = False
    delay_days: float | None = None
    slower_labels: tuple[float, float] | None = None
    labelled: float = 1.0
    threshold: float | None = None
    version: str = "1.0.0"
    business: tuple[tuple[float, str], ...] = ()
