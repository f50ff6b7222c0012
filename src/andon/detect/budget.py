"""The alarm budget: how many false incidents per model and quarter are accepted, and the threshold that keeps it."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import NormalDist

QUARTER = timedelta(days=91)
INDEPENDENT_LOOKS = 3.0
"""Overlapping windows of one mark are worth about this many independent looks at each evaluation."""

UNDECLARED_SHARE = 0.25
"""What of a detector's part goes to slices by columns that nobody declared as slices: there are more of them, and a
declared one is where somebody expects harm (weighted Bonferroni, Holm 1979)."""

THRESHOLD_MIN = 5.0
"""Five standard errors at the least, however slow the traffic: further out, tails are extrapolation."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Accepted false incidents per model and quarter, over all detectors, marks, windows and evaluations together."""

    false_per_quarter: float = 1.0

    def threshold(self, share: float, marks: int, evaluation: timedelta) -> float:
        """The |z| that a mark must pass, when `marks` marks share the part `share` of the budget (Bonferroni).

        Dependence between marks and evaluations only makes the true rate lower.
        """
        return max(self.limit(share, marks, evaluation), THRESHOLD_MIN)

    def limit(self, share: float, marks: int, evaluation: timedelta) -> float:
        """The same before `THRESHOLD_MIN`: what the habits of a mark's family are asked for, besides its own."""
        looks = max(marks, 1) * INDEPENDENT_LOOKS * max(QUARTER / evaluation, 1.0)
        tail = self.false_per_quarter * share / looks
        return -NormalDist().inv_cdf(min(tail / 2, 0.25))
