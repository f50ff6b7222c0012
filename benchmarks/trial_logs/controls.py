"""The trials in which nothing is wrong, however restless they look."""

import numpy as np

from trial_logs.incidents import CHANNEL, SOURCE, TELESCOPE
from trial_logs.trial import Deploy, Extra, Mix, Trial

CONTROLS = (
    Trial("c_adult_strict", "adult", 30000, 90, "2025-05-05", control="strict", story="rows are exchangeable with the reference.", extras=(CHANNEL,)),
    Trial(
        "c_diamonds_campaign", "diamonds", 36000, 70, "2025-10-06", control="benign_change", story="a campaign trebles the traffic.",
        rhythm=("shop", "campaign"), business=((0.55, "black week campaign"), (0.72, "black week campaign ends")),
    ),
    Trial(
        "c_late_natural", "late", 90000, 150, "2013-02-10", control="natural", story="ordinary months of a network, storms included.",
        reference=9000, train=35000,
    ),
    Trial(
        "c_weather_seasonal", "weather", 17000, 330, "2013-01-15", control="seasonal", story="a year's course, as in the reference.",
        reference=2500, train=5000,
    ),
    Trial("c_hotel_small_heavy_tail", "hotels", 3000, 60, "2025-11-03", control="strict", story="a small log with long tails.", train=4000, reference=1500),
    Trial(
        "c_wages_equal_retrain", "wages", 40000, 60, "2025-04-07", control="benign_change", story="a retrain of equal quality.",
        deploy=Deploy(0.5), learner="boosting",
    ),
    Trial(
        "c_owners_large", "owners", 180000, 60, "2025-06-02", control="strict", story="a large log with nothing in it.", train=12000, reference=8000,
        rhythm=("batch", "steady"),
    ),
    Trial(
        "c_gamma_better_model", "gamma", 8000, 40, "2025-08-11", control="benign_change", story="a better model replaces a plain one.", train=3500,
        reference=2500, learner="linear", deploy=Deploy(0.55, learner="boosting", what="boosted trees instead of a linear model"),
        extras=(TELESCOPE,), rhythm=("flat", "steady"), threshold=0.5,
    ),
    Trial(
        "c_admissions_slow_mix", "admissions", 24000, 110, "2025-03-03", control="natural", story="more men apply over months; nothing else moves.",
        mix=Mix("gender = 'male'", lambda at, _d: 0.42 + 0.14 * at),
    ),
    Trial(
        "c_churn_slower_labels", "churn", 4000, 90, "2025-07-07", control="benign_change", story="labels take twice as long from the middle on.",
        train=2000, reference=1000, delay_days=6.0, slower_labels=(0.5, 2.0), business=((0.5, "churn confirmed after the second reminder"),),
    ),
    Trial(
        "c_rand_strict", "rand", 12000, 80, "2026-01-05", control="strict", story="spending data with natural holes.", train=4500, reference=3000,
        extras=(SOURCE,), rhythm=("clinic", "steady"),
    ),
    Trial(
        "c_credit_tiny", "credit", 1500, 75, "2025-02-03", control="strict", story="twenty decisions a day.", train=1800, reference=900,
        learner="forest",
    ),
    Trial("c_letters_strict", "letters", 4000, 30, "2025-12-08", control="strict", story="ten classes, nothing new.", train=2400, reference=1200),
    Trial(
        "c_rates_promotion", "rates", 4500, 60, "2026-02-16", control="natural", story="two weeks of a debt consolidation offer.", train=2500,
        reference=1500, mix=Mix("loan_purpose = 'debt_consolidation'", lambda at, _d: np.where((at > 0.5) & (at < 0.72), 0.66, 0.47)),
        business=((0.5, "debt consolidation offer"), (0.72, "debt consolidation offer ends")),
    ),
    Trial(
        "c_taxi_weekend_mix", "taxi", 4800, 63, "2025-09-01", control="seasonal", story="at weekends other companies drive.", train=3000,
        reference=1500, rhythm=("shop", "steady"), mix=Mix("local = 'yes'", lambda _a, day: np.where(day >= 5, 0.3, 0.14)),
    ),
    Trial(
        "c_crashes_equal_canary", "crashes", 12000, 42, "2025-10-27", control="benign_change", story="a canary as good as the old version.",
        train=5000, reference=3000, deploy=Deploy(0.4, canary=0.15, full=0.75), rhythm=("clinic", "growth"),
    ),
    Trial(
        "c_air_time_natural", "air_time", 60000, 120, "2013-07-01", control="natural", story="ordinary months of a network.", reference=8000,
        train=25000,
    ),
    Trial(
        "c_satellite_strict", "satellite", 3300, 28, "2025-06-16", control="strict", story="six classes in nightly batches.", train=2000, reference=1000,
        rhythm=("batch", "steady"),
    ),
    Trial(
        "c_insured_partly_labelled", "insured", 4500, 60, "2026-03-02", control="strict", story="two of five decisions get a label.", train=2500,
        reference=1500, labelled=0.4, extras=(Extra("agent", ("a1", "a2", "a3", "a4", "a5"), (5, 4, 3, 2, 1)),),
    ),
)
