#!/usr/bin/env python3
"""Count false incidents on quiet replays: `python benchmarks/quiet.py [SCENARIOS] [--replays N] [--seed N] [--jobs N] …`."""

import argparse
import fnmatch
import json
import multiprocessing
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from quiet_replays.blocks import choices, draw, rule_for, slots
from quiet_replays.history import History, load_history
from quiet_replays.replay import Outcome, as_it_happened, judge, resampled
from quiet_replays.report import Result, to_document, to_text

BUNDLED = Path(__file__).resolve().parents[1] / "tests" / "data"
DAYS_MIN = 14
EVALUATIONS_MIN = 30
BLOCKS_MIN = 2
"""A log with fewer quiet days and fewer evaluations, or with fewer blocks, has too little quiet history."""


@dataclass(frozen=True, slots=True)
class Task:
    """One scan to do: replay `number` of a scenario, or the quiet part as it happened (None)."""

    folder: Path
    number: int | None
    seed: int
    reach: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A scan that broke off."""

    task: Task
    error: str


_history = cache(load_history)


def run_task(task: Task) -> Outcome | Failure:
    """Do one scan; what breaks is reported, so that the other replays go on."""
    try:
        return judge(make_replay(_history(task.folder), task), task.number)
    except Exception as error:  # noqa: BLE001  # the worker's edge
        return Failure(task, f"{type(error).__name__}: {error}")


def make_replay(history: History, task: Task) -> Any:
    """The log of a task: the same for the same seed, scenario and number, whatever else is run."""
    if task.number is None:
        return as_it_happened(history)
    seed = (task.seed, zlib.crc32(history.name.encode()), task.number)
    return resampled(history, draw(_choices(task.folder, task.reach), seed))


@cache
def _choices(folder: Path, reach: int | None) -> list[Any]:
    history = _history(folder)
    return choices(history, rule_for(history), reach)
