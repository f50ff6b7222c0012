"""The counts that detectors see: one log and its reference under one plan, on a time axis without empty buckets."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from andon.telemetry.plan import Cube, Plan
from andon.telemetry.summary import Int64, Summary, unpack


@dataclass(frozen=True)
class History:
    """What was counted up to a time.

    The time axis holds the buckets that have rows, in order; an evaluation at index `t` stands at the end of bucket
    `t` and sees the buckets `0..t`. Buckets that were not over at `now` are not there.
    """

    plan: Plan
    log: Summary
    reference: Summary
    buckets: Int64
    reference_buckets: Int64

    @classmethod
    def of(cls, plan: Plan, log: Summary, reference: Summary, now: datetime) -> "History":
        """The history at `now`: a bucket counts once the evaluation at its end may run."""
        last = plan.grid.last_evaluation(now)
        seen = _occupied(log)
        return cls(plan, log, reference, seen[seen < last], _occupied(reference))

    def evaluation(self, t: int) -> datetime:
        """When the evaluation of index `t` runs: it knows what was known just before."""
        return self.plan.grid.start(int(self.buckets[t]) + 1)

    def start(self, t: int) -> datetime:
        """The start of bucket `t`."""
        return self.plan.grid.start(int(self.buckets[t]))

    def counts(self, *columns: str) -> Int64:
        """Counts of the log over the codes of columns: shape `(buckets, *sizes)`."""
        return self._dense(self.log, self.buckets, Cube(columns))

    def reference_counts(self, *columns: str) -> Int64:
        """Counts of the reference over the codes of columns: shape `(reference buckets, *sizes)`."""
        return self._dense(self.reference, self.reference_buckets, Cube(columns))

    def names(self, coding: str) -> dict[int, str]:
        """Values that the reference does not have, by their cell (the smallest value of each cell)."""
        return {code: value for (name, code), value in self.log.names.items() if name == coding}

    def _dense(self, summary: Summary, buckets: Int64, cube: Cube) -> Int64:
        shape = self.plan.shape(cube)
        size = int(np.prod(shape, dtype=np.int64))
        bucket, _, code = unpack(summary.cubes[cube].keys, size)
        place = np.searchsorted(buckets, bucket)
        inside = place < len(buckets)
        dense = np.zeros(len(buckets) * size, dtype=np.int64)
        dense[place[inside] * size + code[inside]] = summary.cubes[cube].counts[inside]
        return dense.reshape((len(buckets), *shape))


def _occupied(summary: Summary) -> Int64:
    bucket, _, _ = unpack(summary.cubes[Cube(())].keys, 1)
    return np.unique(bucket)
