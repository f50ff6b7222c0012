"""Runs many scans: in this process, or in a pool of them."""

import multiprocessing
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from quiet_replays.blocks import Block, choices, draw, rule_for
from quiet_replays.history import History, load_history
from quiet_replays.replay import Outcome, Replay, as_it_happened, judge, resampled


@dataclass(frozen=True, slots=True)
class Task:
    """One scan to do: replay `number` of a scenario's folder, or its quiet part as it happened (None)."""

    folder: Path
    number: int | None
    seed: int
    reach: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A scan that broke off."""

    task: Task
    error: str


def run_tasks(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Outcome | Failure]]:
    """Do scans, each handed over as it ends; with several jobs in any order."""
    if jobs == 1:
        yield from ((task, run_task(task)) for task in tasks)
        return
    fresh = multiprocessing.get_context("spawn")  # a fork would take DuckDB's threads along
    with ProcessPoolExecutor(jobs, mp_context=fresh) as pool:
        running = {pool.submit(run_task, task): task for task in tasks}
        for done in as_completed(running):
            yield running[done], done.result()


def run_task(task: Task) -> Outcome | Failure:
    """Do one scan; what breaks is reported, so that the other replays go on."""
    try:
        return judge(make_replay(task), task.number)
    except Exception as error:  # noqa: BLE001  # the worker's edge
        return Failure(task, f"{type(error).__name__}: {error}")


def make_replay(task: Task) -> Replay:
    """The log of a task: the same for the same seed, scenario and number, whatever else is run."""
    history = history_of(task.folder)
    if task.number is None:
        return as_it_happened(history)
    seed = (task.seed, zlib.crc32(history.name.encode()), task.number)
    return resampled(history, draw(_choices(task.folder, task.reach), seed))


@cache
def history_of(folder: Path) -> History:
    """The quiet history of a folder, read once per process."""
    return load_history(folder)


@cache
def _choices(folder: Path, reach: int | None) -> list[list[Block]]:
    history = history_of(folder)
    return choices(history, rule_for(history), reach)
