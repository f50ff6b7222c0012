"""When decisions arrive: rhythm of the day and the week, and how the volume moves over the log."""

from datetime import datetime

import numpy as np

Times = np.ndarray

_HOURS = {
    "office": [1, 1, 1, 1, 1, 2, 4, 10, 22, 30, 32, 30, 22, 26, 30, 28, 24, 16, 8, 5, 4, 3, 2, 1],
    "shop": [6, 3, 2, 1, 1, 1, 3, 6, 10, 12, 14, 16, 18, 16, 14, 14, 16, 20, 26, 32, 34, 30, 20, 11],
    "flat": [1] * 24,
    "batch": [0, 0, 70, 30, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
    "clinic": [8, 6, 5, 4, 4, 5, 8, 12, 18, 22, 24, 22, 20, 20, 20, 20, 20, 19, 18, 17, 16, 14, 12, 10],
}
_WEEKDAYS = {
    "office": [10, 11, 11, 10, 9, 2, 1],
    "shop": [8, 8, 8, 9, 11, 13, 12],
    "flat": [1] * 7,
    "batch": [1, 1, 1, 1, 1, 0.6, 0.6],
    "clinic": [11, 10, 10, 10, 10, 9, 9],
}
RHYTHMS = tuple(_HOURS)


def volume(kind: str, days: int) -> np.ndarray:
    """How busy each day is beside its weekday: shape (days,)."""
    at = np.linspace(0.0, 1.0, days)
    match kind:
        case "growth":
            return 1.0 + 1.5 * at
        case "campaign":
            return np.where((at > 0.55) & (at < 0.72), 3.0, 1.0)
        case "tail_off":
            return 1.6 - at
        case _:
            return np.ones(days)


def arrivals(rng: np.random.Generator, rows: int, start: datetime, days: int, rhythm: tuple[str, str]) -> Times:
    """Sorted times of `rows` decisions; `rhythm` names the week's rhythm and the volume's course."""
    week, course = rhythm
    weekday = np.array([_WEEKDAYS[week][(start.weekday() + d) % 7] for d in range(days)], float)
    by_day = weekday * volume(course, days) * rng.gamma(150.0, 1 / 150.0, days)
    day = rng.choice(days, rows, p=by_day / by_day.sum())
    hours = np.array(_HOURS[week], float)
    hour = rng.choice(24, rows, p=hours / hours.sum())
    milliseconds = day * 86_400_000 + hour * 3_600_000 + rng.integers(0, 3_600_000, rows)
    return np.datetime64(start, "ms") + np.sort(milliseconds).astype("timedelta64[ms]")
