"""Counts made up for tests: what detectors yield for a log that nobody had to write."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from andon.base.interval import Grid
from andon.detect.budget import Budget
from andon.detect.finding import Layer, Slice
from andon.detect.history import History
from andon.detect.hit import Hit, search
from andon.detect.mark import Mark, MarkSeries, Side
from andon.detect.planning import Watched, make_plan
from andon.inventory.model import Columns, Model
from andon.telemetry.plan import Cube, Plan
from andon.telemetry.summary import Counts, Summary, pack

Array = npt.ArrayLike
START = datetime(2026, 1, 5, tzinfo=UTC)
MODEL = Model("m", Columns("id", "ts"))


def marks(number: int, **same: object) -> tuple[Mark, ...]:
    """Marks that differ in name only."""
    return tuple(mark(f"x{n} is 'a'", **same) for n in range(number))


def mark(what: str = "x is 'a'", **more: object) -> Mark:
    """A mark of the column that its text begins with."""
    feature = what.split(maxsplit=1)[0]
    given: dict[str, object] = {
        "coding": feature,
        "codes": (0,),
        "features": (feature,),
        "predicate": f"{feature} = 'a'",
    }
    return Mark(what=what, **(given | more))  # type: ignore[arg-type]


def drawn(rng: np.random.Generator, share: Array, total: Array) -> Side:
    """Rows that carry a mark by chance: independent, each with its share."""
    p, n = np.broadcast_arrays(np.asarray(share, dtype=float), np.asarray(total, dtype=np.int64))
    return Side(rng.binomial(n, p).astype(np.int64), n.copy())


def series(log: Side, reference: Side, rest: Side | None = None, reference_rest: Side | None = None) -> MarkSeries:
    """A family of alike marks; in a slice where there is a rest."""
    place = None if rest is None else Slice("part = 'p'", ("part",))
    return MarkSeries(marks(len(log.count), slice=place), log, reference, rest, reference_rest)


def until(side: Side, end: int) -> Side:
    """A side as it was before bucket `end`."""
    return Side(side.count[:, :end], side.total[:, :end])


def known_until(each: MarkSeries, end: int) -> MarkSeries:
    """A family with the buckets of its log before `end`; the reference is known from the start."""
    rest = None if each.rest is None else until(each.rest, end)
    return MarkSeries(each.marks, until(each.log, end), each.reference, rest, each.reference_rest)


@dataclass
class Told:
    """A detector that yields the families it was given."""

    families: Sequence[MarkSeries]
    name: str = "told"
    layer: Layer = Layer.BEHAVIOUR
    statistic: str = "effect_h"
    description: str = "What it was told."
    blind_to: str = "All else."
    threshold_source: str = "alarm budget"
    weight: float = 1.0

    def cubes(self, watched: Watched) -> tuple[Cube, ...]:
        return ()

    def series(self, watched: Watched, history: History) -> Iterator[MarkSeries]:
        return iter(self.families)


def history_of(buckets: int, length: timedelta = timedelta(hours=6)) -> tuple[Watched, History]:
    """A model of which nothing is known, and a time axis of so many buckets."""
    grid = Grid(length)
    plan = Plan(grid, {}, (Cube(()),))
    bucket = np.arange(buckets, dtype=np.int64) + grid.bucket(START)
    zero = np.zeros_like(bucket)
    log = Summary(plan.digest, buckets, {Cube(()): Counts.of(pack(bucket, zero, zero, 1))})
    return Watched(MODEL, {}, (), ()), History.of(plan, log, Summary.empty(plan), START + buckets * length)


Dense = npt.NDArray[np.int64]
"""Counts per bucket and code: `(buckets, *codes)`."""


def summarized(plan: Plan, cubes: Mapping[Cube, Dense]) -> Summary:
    """The summary of rows that were counted already; the first cube has them all."""
    first = next(iter(cubes.values()))
    everything = {Cube(()): first.reshape(len(first), -1).sum(axis=1), **cubes}
    return Summary(plan.digest, int(first.sum()), {cube: _counts(plan, dense) for cube, dense in everything.items()})


def counted(watched: Watched, log: Mapping[Cube, Dense], reference: Mapping[Cube, Dense]) -> History:
    """The history of a log and a reference that were counted already, six hours a bucket."""
    plan = make_plan(watched, log, Grid(timedelta(hours=6)))
    buckets = len(next(iter(log.values())))
    now = START + buckets * plan.grid.length
    return History.of(plan, summarized(plan, log), summarized(plan, reference), now)


def _counts(plan: Plan, dense: Dense) -> Counts:
    flat = dense.reshape(len(dense), -1)
    bucket, code = np.nonzero(flat)
    keys = pack(bucket + plan.grid.bucket(START), np.zeros_like(bucket), code, flat.shape[1])
    return Counts.of(keys, flat[bucket, code])


def hits(
    *families: MarkSeries, name: str = "told", budget: Budget | None = None, length: timedelta = timedelta(hours=6)
) -> list[Hit]:
    """What the search finds in families, of evaluations of some length."""
    watched, history = history_of(families[0].log.count.shape[1], length)
    return search(watched, history, [Told(families, name)], budget or Budget())
