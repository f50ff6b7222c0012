"""A share of rows with its interval, and as a percentage."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many rows, and the share that this shows.

    The interval is Wilson's for 95 % (Wilson 1927, "Probable inference, the law of succession, and statistical
    inference"): it stays within 0 and 1 and holds for few rows too.
    """

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of no rows."""
        return self.hits / self.of if self.of else None

    @property
    def low(self) -> float:
        return self._interval()[0]

    @property
    def high(self) -> float:
        return self._interval()[1]

    def _interval(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        share, n, z2 = self.hits / self.of, self.of, Z_95 * Z_95
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(middle - half, 0.0), min(middle + half, 1.0)


def percent(share: float) -> str:
    """A share as a percentage with at most three significant digits; below a tenth of a percent one tells enough."""
    if share != share:  # noqa: PLR0124  # not a number
        return "not known"
    hundredths = 100 * share
    if abs(hundredths) >= 100:  # noqa: PLR2004
        return f"{hundredths:.0f}%"
    shown = f"{hundredths:.3g}" if abs(hundredths) >= 0.1 else f"{hundredths:.1g}"  # noqa: PLR2004
    return f"{shown}%" if abs(hundredths) >= 0.01 or not share else "under 0.01%"  # noqa: PLR2004
