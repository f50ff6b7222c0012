"""Token buckets: so many requests a second on average, so many at once."""

from dataclasses import dataclass, field

KEPT_MAX = 10_000


@dataclass(slots=True)
class Buckets:
    """One bucket per caller; full again after a while, so the oldest may be forgotten.

    Attributes:
        rate: drops a second.
        burst: drops at most.
    """

    rate: float
    burst: float
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, caller: str, now: float, drops: float = 1.0) -> bool:
        """Whether there was enough; `now` in seconds of any clock that goes forward."""
        level, at = self._levels.pop(caller, (self.burst, now))
        level = min(self.burst, level + (now - at) * self.rate)
        is_enough = level >= drops
        self._levels[caller] = (level - drops if is_enough else level, now)
        if len(self._levels) > KEPT_MAX:
            del self._levels[next(iter(self._levels))]
        return is_enough

    def is_empty(self, caller: str, now: float) -> bool:
        """Whether not one drop is left."""
        level, at = self._levels.get(caller, (self.burst, now))
        return min(self.burst, level + (now - at) * self.rate) < 1
