"""The public tables behind the trial logs, by name."""

from trial_logs import people, things
from trial_logs.newer_tables import NEWER
from trial_logs.sources import Table

TABLES = {
    "adult": people.adult,
    "compas": people.compas,
    "law": people.law_school,
    "admissions": people.admissions,
    "diamonds": things.diamonds,
    "late": things.nyc_late,
    "air_time": things.nyc_air_time,
    "weather": things.nyc_weather,
    "hotels": things.hotels,
    "crashes": people.crashes,
    "wages": people.wages,
    "rand": people.rand_health,
    "insured": people.insured,
    "grades": people.loan_grades,
    "rates": people.loan_rates,
    "churn": people.churn,
    "credit": people.consumer_credit,
    "gamma": things.gamma_rays,
    "letters": things.letters,
    "satellite": things.satellite,
    "spam": things.spam,
    "taxi": things.taxis,
    "deliveries": things.deliveries,
    "owners": people.home_owners,
    **NEWER,
}


def table(name: str) -> Table:
    """Read a table by its name in `TABLES`."""
    return TABLES[name]()
