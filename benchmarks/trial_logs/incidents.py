"""The trials in which something goes wrong."""

import numpy as np

from trial_logs import faults as f
from trial_logs.faults import BIAS, DRIFT, PERFORMANCE, PIPELINE, Fault
from trial_logs.trial import Deploy, Extra, Mix, Trial

CHANNEL = Extra("channel", ("web", "mobile_app", "partner_api", "branch"), (0.45, 0.3, 0.15, 0.1))
SOURCE = Extra("source_system", ("core", "legacy", "import"), (0.6, 0.25, 0.15))
TELESCOPE = Extra("telescope", ("T1", "T2", "T3"), (0.4, 0.35, 0.25))
DATA_SHIFT, MODEL_CHANGE, CONFIG = "data_distribution_shift", "model_behavior_change", "configuration_error"

_FEATURES = (
    Trial(
        "adult_hours_in_minutes", "adult", 30000, 84, "2025-09-01", rhythm=("shop", "steady"), extras=(CHANNEL,),
        fault=Fault(PIPELINE, "The partner API sends weekly minutes as weekly hours.", 0.61, f.scaled(("hours_per_week",), 60.0),
                    where="channel = 'partner_api'", features=("hours_per_week",)),
    ),
    Trial(
        "diamonds_inches", "diamonds", 40000, 60, "2025-05-05", rhythm=("office", "growth"),
        fault=Fault(PIPELINE, "The measuring bench was set to inches.", 0.7, f.scaled(("x", "y", "z"), 1 / 25.4), ends=0.78,
                    features=("x", "y", "z"), listed="measuring bench firmware 4.2"),
    ),
    Trial(
        "diamonds_carat_stuck", "diamonds", 24000, 45, "2026-01-12", learner="forest",
        extras=(Extra("lab", ("antwerp", "surat", "new_york"), (0.3, 0.5, 0.2)),),
        fault=Fault(PIPELINE, "The scale of the Antwerp lab repeats its last value.", 0.5, f.frozen(("carat",)),
                    where="lab = 'antwerp'", features=("carat",), ends=0.75),
    ),
    Trial(
        "late_stale_carrier_feature", "late", 60000, 120, "2013-03-01", reference=8000, train=30000,
        fault=Fault(PIPELINE, "The feature store stopped updating the trailing lateness of three carriers.", 0.5,
                    f.frozen(("carrier_late_7d",), "carrier"), where="carrier in ('B6', 'EV', 'MQ')", features=("carrier_late_7d",),
                    also=(PERFORMANCE,)),
    ),
    Trial(
        "late_celsius_at_lga", "late", 90000, 150, "2013-02-01", reference=8000, train=30000,
        fault=Fault(PIPELINE, "LaGuardia's weather feed turned to degrees Celsius.", 0.66, f.scaled(("temp", "dewp"), 5 / 9, -160 / 9),
                    where="origin = 'LGA'", features=("temp", "dewp")),
    ),
    Trial(
        "hotel_lead_time_missing", "hotels", 8500, 70, "2025-10-06", rhythm=("shop", "steady"), train=4000, reference=2500, delay_days=9.0,
        fault=Fault(PIPELINE, "A third of the bookings lost their lead time in a schema migration.", 0.55, f.filled(("lead_time",), None),
                    share=0.35, marks="lead_time is null", features=("lead_time",), ends=0.8),
    ),
    Trial(
        "hotel_segment_code", "hotels", 8000, 90, "2026-02-02", train=4000, reference=2500, rhythm=("flat", "steady"),
        fault=Fault(PIPELINE, "The booking engine renamed a market segment.", 0.45,
                    f.renamed("market_segment", lambda v: "OTA" if v == "online_travel_agent" else v),
                    where="market_segment in ('online_travel_agent', 'OTA')", features=("market_segment",), also=(DRIFT,)),
    ),
    Trial(
        "crashes_age_and_year_swapped", "crashes", 12000, 40, "2025-11-03", rhythm=("clinic", "steady"), train=5000, reference=3000,
        fault=Fault(PIPELINE, "Two columns of the dispatch form changed places.", 0.6, f.swapped("ageOFocc", "yearVeh"), ends=0.74,
                    features=("ageOFocc", "yearVeh"), listed="dispatch form v12"),
    ),
    Trial(
        "wages_education_offset", "wages", 45000, 63, "2025-03-03", rhythm=("office", "tail_off"), learner="forest",
        fault=Fault(PIPELINE, "The southern payroll counts years of schooling from first grade of secondary school.", 0.4,
                    f.scaled(("education",), 1.0, -6.0), where="region = 'South'", features=("education",)),
    ),
    Trial(
        "rand_monthly_income", "rand", 12000, 100, "2025-06-02", train=4500, reference=3000, rhythm=("clinic", "steady"), learner="linear",
        fault=Fault(PIPELINE, "Site s3 enters monthly incomes.", 0.5, f.scaled(("income",), 1 / 12), where="site = 's3'", features=("income",)),
    ),
    Trial(
        "satellite_bands_swapped", "satellite", 3300, 33, "2026-04-06", train=2000, reference=1000, rhythm=("batch", "steady"),
        fault=Fault(PIPELINE, "Two bands were stacked in the wrong order.", 0.64, f.swapped("b1_p4", "b4_p4"), features=("b1_p4", "b4_p4")),
    ),
    Trial(
        "churn_wrong_join", "churn", 4000, 56, "2025-08-04", train=2000, reference=1000, extras=(CHANNEL,), delay_days=4.0,
        fault=Fault(PIPELINE, "The web shop joins billing by row number.", 0.5, f.shuffled(("tenure", "contract", "total_charges", "monthly_charges", "internet_service")),
                    where="channel = 'web'", features=("tenure", "contract", "total_charges", "monthly_charges", "internet_service"), also=(PERFORMANCE,)),
    ),
    Trial(
        "churn_charges_constant", "churn", 4000, 70, "2026-03-02", train=2000, reference=1000, rhythm=("shop", "steady"),
        fault=Fault(PIPELINE, "Billing answers with its cached last charge.", 0.55, f.frozen(("monthly_charges",)), ends=0.7, features=("monthly_charges",)),
    ),
    Trial(
        "credit_income_zero", "credit", 2100, 90, "2025-04-07", train=1500, reference=800, learner="linear",
        fault=Fault(PIPELINE, "The income service times out and the caller writes 0.", 0.68, f.filled(("Income",), 0.0), features=("Income",)),
    ),
    Trial(
        "gamma_sign_flip", "gamma", 11000, 28, "2025-12-01", train=4000, reference=3000, rhythm=("flat", "steady"), extras=(TELESCOPE,),
        fault=Fault(PIPELINE, "Telescope 2 was mounted the other way: image asymmetry and moment change sign.", 0.45,
                    f.scaled(("fM3Long", "fAsym"), -1.0), where="telescope = 'T2'", features=("fM3Long", "fAsym")),
    ),
    Trial(
        "admissions_essay_scale", "admissions", 26000, 50, "2025-07-07", rhythm=("office", "campaign"), learner="linear",
        extras=(Extra("exam_centre", ("north", "south", "coast", "online"), (0.4, 0.3, 0.18, 0.12)),), business=((0.56, "application season"),),
        fault=Fault(PIPELINE, "Essays of online centres are graded out of 100, not 1000.", 0.3, f.scaled(("essay",), 0.1),
                    where="exam_centre = 'online'", features=("essay",)),
    ),
    Trial(
        "compas_priors_lost", "compas", 3000, 120, "2025-01-06", train=2000, reference=1000, learner="linear", delay_days=12.0,
        fault=Fault(PIPELINE, "The felony register's join returns no prior offences.", 0.6, f.filled(("priors_count",), 0),
                    where="charge_degree = 'F'", features=("priors_count",), ends=0.85),
    ),
    Trial(
        "diamonds_upper_case", "diamonds", 20000, 30, "2025-09-15", rhythm=("shop", "steady"),
        fault=Fault(PIPELINE, "The catalogue export writes cut in capitals.", 0.8, f.renamed("cut", lambda v: v.upper()), features=("cut",)),
    ),
    Trial(
        "weather_stuck_sensor", "weather", 13000, 180, "2013-01-10", reference=1500, train=4000,
        fault=Fault(PIPELINE, "The thermometer at JFK hangs.", 0.5, f.frozen(("temp",)), where="origin = 'JFK'", ends=0.62, features=("temp",)),
    ),
    Trial(
        "weather_inches_of_mercury", "weather", 12000, 150, "2013-05-01", reference=1500, train=4000, learner="linear",
        fault=Fault(PIPELINE, "The pressure feed gives inches of mercury.", 0.72, f.scaled(("pressure",), 0.02953), features=("pressure",)),
    ),
    Trial(
        "owners_veteran_default", "owners", 150000, 75, "2025-02-03", train=12000, reference=8000, rhythm=("batch", "steady"),
        fault=Fault(PIPELINE, "Three states' files carry no service record; the loader writes 0.", 0.56, f.filled(("vet_wwko",), 0),
                    where="bpl in ('Texas', 'Ohio', 'Georgia')", features=("vet_wwko",)),
    ),
    Trial(
        "rates_limit_field_overflow", "rates", 5000, 60, "2025-10-13", train=3000, reference=1500,
        fault=Fault(PIPELINE, "The credit limit is stored in 16 bits.", 0.5, f.clipped("total_credit_limit", 0, 32767), features=("total_credit_limit",),
                    where="homeownership = 'MORTGAGE'"),
    ),
    Trial(
        "spam_counters_zero", "spam", 2300, 24, "2026-05-04", train=1500, reference=700, rhythm=("flat", "steady"),
        fault=Fault(PIPELINE, "The tokenizer drops punctuation: the counts of ! and $ are 0.", 0.5, f.filled(("bang", "dollar"), 0.0),
                    features=("bang", "dollar"), listed="tokenizer 2.3"),
    ),
)

_VERSIONS = (
    Trial(
        "adult_biased_retrain", "adult", 30000, 56, "2026-01-05", rhythm=("office", "steady"), extras=(CHANNEL,),
        deploy=Deploy(0.5, canary=0.2, full=0.7, teach=f.mislabelled(lambda t: t["sex"] == "Female", 0.6, 0.0)),
        fault=Fault(BIAS, "2.0.0 learned from labels in which most affluent women were missing.", 0.5, f.NOTHING, where="sex = 'Female'",
                    version="2.0.0", category=MODEL_CHANGE),
    ),
    Trial(
        "law_biased_retrain", "law", 8000, 70, "2025-05-12", train=5000, reference=3000, threshold=0.85, learner="forest", delay_days=15.0,
        deploy=Deploy(0.55, version="1.1.0", teach=f.mislabelled(lambda t: (t["race"] != "White") & (t["LSAT"] < 40), 0.5, 0.0)),
        fault=Fault(BIAS, "1.1.0 was trained on a file that lost passes of minority candidates.", 0.55, f.NOTHING, where="race <> 'White'",
                    version="1.1.0", category=MODEL_CHANGE),
    ),
    Trial(
        "owners_four_states_retrain", "owners", 120000, 60, "2025-08-04", train=12000, reference=8000, rhythm=("flat", "steady"),
        deploy=Deploy(0.6, teach=f.mislabelled(lambda t: (t["bpl"].isin(["Pennsylvania", "New York", "Illinois", "Massachusetts"])), 0.7, 0.0)),
        fault=Fault(PERFORMANCE, "2.0.0 was trained on files without the deeds of four states.", 0.6, f.NOTHING,
                    where="bpl in ('Pennsylvania', 'New York', 'Illinois', 'Massachusetts')", version="2.0.0", category=MODEL_CHANGE),
    ),
    Trial(
        "admissions_high_scores_muddled", "admissions", 24000, 64, "2026-02-09", train=6000, delay_days=6.0,
        deploy=Deploy(0.5, version="1.2.0", teach=f.mislabelled(lambda t: t["math"] >= 680, 0.85, 0.0)),
        fault=Fault(PERFORMANCE, "1.2.0 was trained on a file whose top mathematics scores lost their results.", 0.5, f.NOTHING, where="math >= 680",
                    version="1.2.0", category=MODEL_CHANGE),
    ),
    Trial(
        "letters_o_q_confused", "letters", 3600, 21, "2025-11-10", train=1600, reference=900, rhythm=("office", "steady"),
        deploy=Deploy(0.45, teach=f.mislabelled(lambda t: t["label"] == "Q", 0.9, "O"), what="new training set"),
        fault=Fault(PERFORMANCE, "2.0.0 was trained on forms in which most Q were typed as O.", 0.45, f.NOTHING,
                    version="2.0.0", category=MODEL_CHANGE),
    ),
    Trial(
        "rates_renters_overcharged", "rates", 4500, 50, "2026-03-09", train=2000, reference=1200,
        deploy=Deploy(0.4, canary=0.3, full=0.6, teach=lambda t, _r: t.assign(label=t["label"] + 4.0 * (t["homeownership"] == "RENT"))),
        fault=Fault(PERFORMANCE, "2.0.0 counts a fee twice for renters.", 0.4, f.NOTHING, where="homeownership = 'RENT'", version="2.0.0",
                    also=(BIAS,), category=MODEL_CHANGE),
    ),
    Trial(
        "crashes_canary_young", "crashes", 11000, 36, "2025-09-22", rhythm=("clinic", "steady"), train=5000, reference=3000, delay_days=1.5,
        deploy=Deploy(0.5, version="1.0.1", canary=0.35, teach=f.mislabelled(lambda t: t["ageOFocc"] < 30, 0.75, 0.0)),
        fault=Fault(PERFORMANCE, "The canary 1.0.1 learned that young people are not hurt.", 0.5, f.NOTHING, where="ageOFocc < 30",
                    version="1.0.1", category=MODEL_CHANGE),
    ),
    Trial(
        "adult_graduates_in_leading_jobs", "adult", 28000, 70, "2025-06-09", rhythm=("shop", "growth"), threshold=0.4, undeclared=("marital_status",),
        deploy=Deploy(0.45, teach=f.mislabelled(lambda t: (t["occupation"].isin(["Exec_managerial", "Prof_specialty"])) & (t["education_num"] >= 13), 0.8, 0.0)),
        fault=Fault(PERFORMANCE, "2.0.0 lost the incomes of graduates in leading jobs.", 0.45, f.NOTHING, version="2.0.0", category=MODEL_CHANGE,
                    where="occupation in ('Exec_managerial', 'Prof_specialty') and education_num >= 13"),
    ),
)

_OUTPUTS = (
    Trial(
        "air_time_offset_delta", "air_time", 50000, 90, "2013-04-01", reference=6000, train=20000,
        fault=Fault(PERFORMANCE, "A correction for one carrier is applied twice.", 0.55, f.repredicted(lambda p: p * 1.1), where="carrier = 'DL'",
                    also=(PIPELINE,), category=MODEL_CHANGE),
    ),
    Trial(
        "grades_swapped_classes", "grades", 5000, 45, "2025-07-14", train=3000, reference=1500, delay_days=2.0,
        fault=Fault(PERFORMANCE, "The decoder of the class index swaps B and C for long loans.", 0.5,
                    f.repredicted(lambda p: np.where(p == "B", "C", np.where(p == "C", "B", p)).astype(object)),
                    where="term = 60", also=(PIPELINE,), category=MODEL_CHANGE),
    ),
    Trial(
        "gamma_confidence_collapse", "gamma", 10000, 30, "2026-02-02", train=4000, reference=3000, threshold=0.5,
        fault=Fault(PERFORMANCE, "A softmax temperature of 6 was left on after a test.", 0.6, f.rescored(lambda s: 1 / (1 + ((1 - s + 1e-4) / (s + 1e-4)) ** (1 / 6))),
                    category=MODEL_CHANGE),
    ),
    Trial(
        "spam_threshold_raised", "spam", 2400, 40, "2025-03-10", train=1400, reference=700, threshold=0.5, rhythm=("flat", "steady"),
        fault=Fault(PERFORMANCE, "A configuration roll-out raised the threshold from 0.5 to 0.92.", 0.55, f.rescored(lambda s: s, 0.92), also=(PIPELINE,),
                    category=CONFIG),
    ),
    Trial(
        "insured_score_inverted", "insured", 4700, 60, "2025-10-20", train=2500, reference=1500, learner="linear", delay_days=3.0, threshold=0.8,
        fault=Fault(PERFORMANCE, "The southern region reads the probability of the other class.", 0.6, f.rescored(lambda s: 1 - s, 0.8),
                    where="region = 'south'", ends=0.8, also=(PIPELINE,), category=CONFIG),
    ),
)

_LABELS = (
    Trial(
        "insured_self_employed_turn", "insured", 4700, 90, "2025-02-10", train=2500, reference=1500, delay_days=5.0,
        fault=Fault(PERFORMANCE, "A new law insures the self-employed: what the model learned no longer holds.", 0.45, f.turned(0.7),
                    where="selfemp = 'yes'", also=(DRIFT,), category=DATA_SHIFT),
    ),
    Trial(
        "taxi_new_company", "taxi", 4300, 70, "2025-05-19", train=2600, reference=1400, rhythm=("shop", "steady"),
        mix=Mix("company = 'Taxi Affiliation Services'", lambda at, _d: np.clip((at - 0.5) / 0.5, 0, 1) * 0.25, unknown_before=True),
        fault=Fault(DRIFT, "A company that the model has never seen takes up to a quarter of the rides.", 0.5, f.NOTHING,
                    where="company = 'Taxi Affiliation Services'", features=("company",), category=DATA_SHIFT, share=1.0),
    ),
    Trial(
        "late_label_definition", "late", 70000, 100, "2013-06-01", reference=8000, train=25000, nightly=True,
        fault=Fault(PERFORMANCE, "Operations call a flight late from 60 minutes on, not from 15.", 0.6, f.relabelled("_very_late"),
                    also=(PIPELINE, DRIFT), category=CONFIG),
    ),
    Trial(
        "rand_label_feed_stops", "rand", 12000, 90, "2025-09-08", train=4000, reference=3000, nightly=True, delay_days=7.0,
        fault=Fault(PIPELINE, "The claims feed that brings the labels stopped.", 0.6, f.UNFED),
    ),
    Trial(
        "adult_traffic_twice", "adult", 22000, 48, "2026-04-13", extras=(SOURCE,), rhythm=("office", "steady"),
        fault=Fault(PIPELINE, "The legacy system's queue delivers every message twice.", 0.5, f.TWICE, where="source_system = 'legacy'", ends=0.72),
    ),
    Trial(
        "deliveries_miles", "deliveries", 5400, 35, "2025-11-24", train=3000, reference=1500, rhythm=("shop", "steady"),
        extras=(Extra("app", ("ios", "android", "desk"), (0.4, 0.45, 0.15)),),
        fault=Fault(PIPELINE, "The new iOS app sends kilometres.", 0.4, f.scaled(("distance",), 1.609), where="app = 'ios'", features=("distance",),
                    listed="iOS app 7.0"),
    ),
    Trial(
        "crashes_safer_belts", "crashes", 12000, 60, "2026-01-19", train=5000, reference=3000, learner="forest", delay_days=2.0, nightly=True,
        fault=Fault(PERFORMANCE, "New belts make belted front crashes less severe than the model learned.", 0.5, f.turned(0.35),
                    where="seatbelt = 'belted' and dvcat = '25-39'", also=(DRIFT,), category=DATA_SHIFT, ends=None),
    ),
)

INCIDENTS = _FEATURES + _VERSIONS + _OUTPUTS + _LABELS
