"""Rates of rare events with their intervals; plain Python, since the bench needs nothing beside Andon itself.

A count `k` in an exposure `T` estimates the rate `k / T`. Its exact 95 % interval (Garwood 1936) is
`[G(k, 0.025), G(k + 1, 0.975)] / T`, where `G(a, p)` is the p-quantile of the gamma distribution of shape `a` and
scale 1, which is half the chi-square quantile with `2a` degrees of freedom; `G(0, p) = 0`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

TAIL = 0.025
NORMAL_Z = 1.959964
TINY = 1e-300
PRECISION = 1e-14


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % interval; all None where nothing was exposed."""

    point: float | None
    low: float | None
    high: float | None


def poisson_interval(count: int) -> tuple[float, float]:
    """Garwood's interval of a Poisson mean."""
    return (gamma_quantile(count, TAIL) if count else 0.0), gamma_quantile(count + 1, 1 - TAIL)


def rate(count: int, exposure: float, per: float) -> Rate:
    """Events per `per` units of exposure."""
    if exposure <= 0:
        return Rate(None, None, None)
    low, high = poisson_interval(count)
    return Rate(per * count / exposure, per * low / exposure, per * high / exposure)


def balanced_rate(parts: Sequence[tuple[int, float]], per: float) -> Rate:
    """The mean of the rates of several `(count, exposure)`, each weighing the same.

    The interval is the gamma interval of a weighted sum of Poisson counts (Fay & Feuer 1997), rather too wide than too
    narrow; with one part it is Garwood's.
    """
    parts = [(count, exposure) for count, exposure in parts if exposure > 0]
    if not parts:
        return Rate(None, None, None)
    weights = [per / (len(parts) * exposure) for _, exposure in parts]
    mean = sum(weight * count for weight, (count, _) in zip(weights, parts, strict=True))
    variance = sum(weight**2 * count for weight, (count, _) in zip(weights, parts, strict=True))
    most = max(weights)
    low = variance / mean * gamma_quantile(mean**2 / variance, TAIL) if variance else 0.0
    above, spread = mean + most, variance + most**2
    return Rate(mean, low, spread / above * gamma_quantile(above**2 / spread, 1 - TAIL))


def share(count: int, of: int) -> Rate:
    """A share with Wilson's interval (1927)."""
    if of == 0:
        return Rate(None, None, None)
    p, z2 = count / of, NORMAL_Z**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = NORMAL_Z / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of**2))
    return Rate(p, max(middle - half, 0.0), min(middle + half, 1.0))


def gamma_quantile(shape: float, p: float) -> float:
    """Where the gamma distribution (scale 1) reaches `p`: by bisection, to full precision."""
    return _root(lambda x: gamma_cdf(shape, x) - p, shape + 1)


def _root(rising: Callable[[float], float], start: float) -> float:
    low, high = 0.0, start
    while rising(high) < 0:
        low, high = high, 2 * high
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def gamma_cdf(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function: series below `shape + 1`, continued fraction above (Lentz)."""
    if x <= 0:
        return 0.0
    front = exp(shape * log(x) - x - lgamma(shape))
    return front * _series(shape, x) if x < shape + 1 else 1 - front * _fraction(shape, x)


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    n = shape
    while term > total * PRECISION:
        n += 1
        term *= x / n
        total += term
    return total


def _fraction(shape: float, x: float) -> float:
    b = x + 1 - shape
    c, d = 1 / TINY, 1 / b
    value, step, i = d, 0.0, 0
    while abs(step - 1) > PRECISION:
        i += 1
        a = -i * (i - shape)
        b += 2
        d = 1 / (a * d + b or TINY)
        c = b + a / c or TINY
        step = c * d
        value *= step
    return value
