"""The clock of the trial logs; the rest needs an environment of its own, and checks itself at every build."""

from datetime import datetime

import numpy as np
import pytest
from trial_logs.clock import RHYTHMS, arrivals, volume

MONDAY = datetime.fromisoformat("2026-01-05")


@pytest.mark.parametrize("week", RHYTHMS)
def test_arrivals_are_sorted_and_stay_in_their_days(week: str) -> None:
    times = arrivals(np.random.default_rng(3), 2000, MONDAY, 21, (week, "growth"))
    assert len(times) == 2000
    assert (np.diff(times.astype(np.int64)) >= 0).all()
    assert np.datetime64(MONDAY) <= times[0] <= times[-1] < np.datetime64(MONDAY) + np.timedelta64(21, "D")


def test_offices_rest_at_weekends() -> None:
    times = arrivals(np.random.default_rng(3), 7000, MONDAY, 28, ("office", "steady"))
    weekday = times.astype("datetime64[D]").astype(object)
    assert np.mean([day.weekday() >= 5 for day in weekday]) < 0.1


def test_a_campaign_trebles_the_days_it_lasts() -> None:
    assert set(volume("campaign", 100)) == {1.0, 3.0}
    assert (volume("steady", 100) == 1.0).all()
