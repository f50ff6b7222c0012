"""A decision log made up from a seed: sixty days of a small credit model, and what can go wrong with it, by name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from andon.inventory.model import Columns, Model

Rows = dict[str, "np.ma.MaskedArray[Any, Any]"]
Mask = npt.NDArray[np.bool_]
Change = Callable[[Rows, Mask, np.random.Generator], None]

DAYS, REFERENCE_DAYS, ROWS_PER_DAY = 60, 15, 300
THRESHOLD = 0.5
START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_US = DAY // timedelta(microseconds=1)
FEATURES = ("amount", "income", "age", "product", "channel")
MODEL = Model(
    "synthetic",
    Columns("id", "ts", "score", "prediction", "label", "label_ts", "model_version", "latency_ms"),
    features=FEATURES,
    protected=("sex",),
    segments=("region", "channel"),
    threshold=THRESHOLD,
    favourable_prediction="0",
    label_delay=timedelta(days=7),
)
ESTIMATES = replace(
    MODEL,
    id="synthetic-estimates",
    columns=Columns("id", "ts", prediction="estimate", label="cost", label_time="label_ts"),
    threshold=None,
    favourable_prediction=None,
)
"""The same decisions seen by a second model, which estimates what each will cost."""

CUSTOMERS = 400
RETURNING = replace(MODEL, id="synthetic-returning", columns=replace(MODEL.columns, entities=("customer",)))
"""The same model, of which it is known who asks: most customers come back."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with some rows for some time.

    Attributes:
        type: slug of the incident that it is.
        inputs: changes the features of the rows concerned, before the model sees them.
        outputs: changes what the model or its surroundings answer for them.
        slice: predicate of the part of the traffic it is confined to; None: all of it.
        mark: predicate that its own rows alone fulfil; None: every row of the slice is concerned.
        share: the share of the rows concerned that are changed.
        start, end: days from the start of the log; no end: until the log's own.
        days: within how many days of its start it must be found.
        model: the model that has it.
    """

    type: str
    inputs: Change | None = None
    outputs: Change | None = None
    slice: str | None = None
    mark: str | None = None
    share: float = 1.0
    start: float = 35.3
    end: float | None = None
    days: float = 2.0
    model: Model = MODEL

    @property
    def started_at(self) -> datetime:
        return START + self.start * DAY

    @property
    def affected(self) -> str:
        """The predicate of the rows that it concerns."""
        parts = [f"ts >= '{self.started_at.replace(tzinfo=None)}'"]
        if self.end is not None:
            parts.append(f"ts < '{(START + self.end * DAY).replace(tzinfo=None)}'")
        return " and ".join([*parts, *(part for part in (self.slice, self.mark) if part is not None)])


def _nulls(column: str) -> Change:
    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows[column][mask] = np.ma.masked

    return change


def _value(column: str, value: str) -> Change:
    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows[column][mask] = value

    return change


def _scaled(column: str, factor: float) -> Change:
    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows[column][mask] = rows[column][mask] * factor

    return change


def _guesses(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    """The answers of other rows: their rate stays, their worth is gone."""
    order = rng.permutation(np.flatnonzero(mask))
    for name in ("score", "prediction"):
        rows[name][mask] = rows[name][order]


def _declined(share: float) -> Change:
    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        turned = mask & (rng.random(len(mask)) < share)
        rows["score"][turned] = rng.uniform(0.55, 0.95, int(turned.sum()))
        rows["prediction"][turned] = 1

    return change


def _overruled(share: float) -> Change:
    """Decisions are turned to 1 after the score was given."""

    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows["prediction"][mask & (rng.random(len(mask)) < share)] = 1

    return change


def _less_sure(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    """Scores move towards the threshold and stay on their side of it: the decisions are the same."""
    less = rng.uniform(0.1, 0.9, int(mask.sum()))
    rows["score"][mask] = np.round(THRESHOLD + less * (rows["score"][mask] - THRESHOLD), 6)


def _worse(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    """The world gets worse and the model does not know: many a good outcome turns bad, whatever the score."""
    rows["label"][mask & (rng.random(len(mask)) < 0.35)] = 1


def _unlabelled(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    rows["label"][mask] = np.ma.masked
    rows["label_ts"][mask] = np.ma.masked


def _kept(column: str) -> Change:
    """Every customer keeps the value of the last row before: nobody reads it anew."""

    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        last: dict[int, int] = {}
        for n, customer in enumerate(rows["customer"].data.tolist()):
            if mask[n] and customer in last:
                rows[column][n] = rows[column][last[customer]]
            last[customer] = n

    return change


def _dearer(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    rows["cost"][mask] = np.round(rows["cost"][mask] + 30.0, 2)


def _estimated_higher(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    rows["estimate"][mask] = np.round(rows["estimate"][mask] * 1.4, 2)


def _contradicted(share: float) -> Change:
    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        turned = mask & (rng.random(len(mask)) < share)
        rows["label"][turned] = 1 - rows["prediction"][turned]

    return change


def _retrained(bias: float, share: float = 1.0) -> Change:
    """Another version answers from the first row of the mask on, or a share of the rows from there on (a canary).

    Its scores differ by chance; those of the mask lean.
    """

    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        since = (np.arange(len(mask)) >= np.flatnonzero(mask)[0]) & (rng.random(len(mask)) < share)
        _answered_by_another(rows, since, _odds(rows) + rng.normal(0, 0.3, len(mask)) + bias * mask)

    return change


def _better(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    """Another version, which knows more: its scores are nearer to what came of it."""
    _answered_by_another(rows, mask, _odds(rows) + 0.8 * (2 * rows["label"].data - 1))


def _scaled_anew(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    """Another version, which is more sure of the same decisions."""
    _answered_by_another(rows, mask, 4 * _odds(rows))


def _odds(rows: Rows) -> npt.NDArray[np.float64]:
    odds: npt.NDArray[np.float64] = np.log(rows["score"].data / (1 - rows["score"].data))
    return odds


def _answered_by_another(rows: Rows, some: Mask, odds: npt.NDArray[np.float64]) -> None:
    rows["model_version"][some] = "2.0.0"
    rows["score"][some] = np.round(1 / (1 + np.exp(-odds[some])), 6)
    rows["prediction"][some] = (rows["score"][some] >= THRESHOLD).astype(np.int64)


def _wandering(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
    """Every day one region and product has a day of its own: nulls, higher amounts, other products."""
    day = (rows["ts"].data - rows["ts"].data[0]) // DAY_US
    for each in range(DAYS):
        region = rows["region"].data == rng.choice(["north", "south", "east", "west"])
        today = mask & (day == each) & region & (rng.random(len(mask)) < rng.random())
        rows["income"][today & (rng.random(len(mask)) < 0.3)] = np.ma.masked
        rows["amount"][today] = rows["amount"][today] * rng.choice([0.5, 2.0])
        rows["product"][today] = rng.choice(["card", "house"])


def _contradicted_soon(share: float) -> Change:
    """Every label comes a day after its decision, and contradicts it in some."""

    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows["label_ts"][:] = rows["ts"].data + DAY_US
        _contradicted(share)(rows, mask, rng)

    return change


WESTERN_WOMEN = "region = 'west' and sex = 'f'"
MEETING: Mapping[str, Fault] = {
    "declined": Fault("", outputs=_overruled(0.5), slice=WESTERN_WOMEN, start=20.3),
    "contradicted": Fault("", outputs=_contradicted_soon(0.7), slice=WESTERN_WOMEN, start=20.3),
}
"""Harm where two slices meet, too little of it for either of them to show it (seed 0)."""


UNDECLARED: Mapping[str, Fault] = {
    "value": Fault("model_performance_degradation", outputs=_contradicted(0.9), slice="product = 'house'", start=20.3),
    "value, soon": Fault(
        "model_performance_degradation", outputs=_contradicted_soon(0.8), slice="product = 'house'", start=20.3
    ),
    "number": Fault("model_performance_degradation", outputs=_contradicted(0.9), slice="age >= 72", start=20.3),
}
"""Wrong answers in one part of the traffic, by a column that no model file names as a slice."""


def _in_spring(factor: float) -> Change:
    """Everybody's income rises from month to month; that of some rows is written in other units."""

    def change(rows: Rows, mask: Mask, rng: np.random.Generator) -> None:
        rows["income"][:] = rows["income"] * np.exp(0.8 * (rows["ts"].data - rows["ts"].data[0]) / (DAYS * DAY_US))
        rows["income"][mask] = rows["income"][mask] * factor

    return change


IN_A_SEASON = Fault("data_pipeline_corruption", inputs=_in_spring(0.55), slice="region = 'south'")
"""A broken feed in one region, while a season moves all the others the other way."""

EQUAL_RETRAIN = Fault("", outputs=_retrained(0.0))
"""No fault: another version, no better and no worse for anybody."""
BENIGN_RELEASES: Mapping[str, Fault] = {
    "equal": EQUAL_RETRAIN,
    "better": Fault("", outputs=_better),
    "scaled anew": Fault("", outputs=_scaled_anew),
    "equal canary": Fault("", outputs=_retrained(0.0, share=0.3)),
}
"""No faults: another version that is as good, better, as good by other scores, or as good beside the old one."""

UNEASY = Fault("", inputs=_wandering, start=0.0)
"""No fault but a habit: small upsets every day from the first on."""

FAULTS: Mapping[str, Fault] = {
    "income_null": Fault("data_pipeline_corruption", inputs=_nulls("income")),
    "income_null_for_ten_days": Fault("data_pipeline_corruption", inputs=_nulls("income"), end=45.7),
    "new_product": Fault("model_drift", inputs=_value("product", "leasing"), mark="product = 'leasing'", share=0.25),
    "renamed_product": Fault(
        "data_pipeline_corruption",
        inputs=lambda rows, mask, rng: _value("product", "CARD")(rows, mask & (rows["product"] == "card"), rng),
        mark="product = 'CARD'",
    ),
    "products_in_capitals": Fault(
        "data_pipeline_corruption",
        inputs=lambda rows, mask, rng: rows["product"].__setitem__(mask, np.char.upper(rows["product"][mask].data)),
    ),
    "income_rises": Fault("model_drift", inputs=_scaled("income", 1.5)),
    "income_halves_in_the_south": Fault(
        "data_pipeline_corruption", inputs=_scaled("income", 0.5), slice="region = 'south'", end=52.0
    ),
    "income_halves_in_two_regions": Fault(
        "data_pipeline_corruption", inputs=_scaled("income", 0.5), slice="region in ('north', 'south')"
    ),
    "labels_contradict": Fault("model_performance_degradation", outputs=_contradicted(0.8), start=20.3, days=6.0),
    "western_women_misjudged": Fault(
        "bias_and_fairness_violation",
        outputs=_contradicted(0.9),
        slice="region = 'west' and sex = 'f'",
        start=20.3,
        days=21.0,
    ),
    "outcomes_get_worse": Fault("model_performance_degradation", outputs=_worse, start=20.3, days=14.0),
    "costs_rise": Fault("model_performance_degradation", outputs=_dearer, start=20.3, days=6.0, model=ESTIMATES),
    "income_no_longer_refreshed": Fault("data_pipeline_corruption", inputs=_kept("income"), model=RETURNING),
    "labels_stop": Fault("data_pipeline_corruption", outputs=_unlabelled, start=5.3, days=38.0),
    "everyone_declined": Fault("model_performance_degradation", outputs=_declined(0.5)),
    "score_is_less_sure": Fault("model_performance_degradation", outputs=_less_sure),
    "women_declined": Fault("bias_and_fairness_violation", outputs=_declined(0.6), slice="sex = 'f'"),
    "elders_declined_by_a_new_version": Fault(
        "model_performance_degradation",
        outputs=_retrained(1.5),
        slice="model_version = '2.0.0' and age >= 55",
        days=12.0,
    ),
    "elders_declined_by_a_canary": Fault(
        "model_performance_degradation",
        outputs=_retrained(2.5, share=0.3),
        slice="model_version = '2.0.0' and age >= 55",
        days=14.0,
    ),
    "elders_overruled": Fault("model_performance_degradation", outputs=_overruled(1.0), slice="age >= 50", days=8.0),
    "southern_women_overruled": Fault(
        "bias_and_fairness_violation",
        outputs=_overruled(0.9),
        slice="region = 'south' and sex = 'f'",
        days=8.0,
    ),
    "western_women_declined": Fault(
        "bias_and_fairness_violation", outputs=_declined(0.5), slice="region = 'west' and sex = 'f'", days=8.0
    ),
    "branches_count_as_web_in_the_north": Fault(
        "data_pipeline_corruption", inputs=_value("channel", "web"), slice="region = 'north'"
    ),
    "estimates_rise_in_the_south": Fault(
        "model_performance_degradation",
        outputs=_estimated_higher,
        slice="region = 'south'",
        model=ESTIMATES,
    ),
    "answers_are_guesses": Fault("model_performance_degradation", outputs=_guesses, start=30.3, days=14.0),
}


def make_log(folder: Path, fault: Fault | None = None, *, seed: int = 0, strange_from: float = DAYS) -> str:
    """Write the log of a seed as Parquet, with a fault or without.

    From day `strange_from` on nothing is as it was: values, nulls and answers that were never seen before. Whatever
    looks ahead stumbles over it.
    """
    rows = _rows(seed, START, DAYS, fault)
    if strange_from < DAYS:
        _make_strange(rows, np.random.default_rng(seed + 1_000_000), strange_from)
    return _write(rows, folder / "log.parquet")


def make_reference(folder: Path, *, seed: int = 0) -> str:
    """Write known-good rows from the time before the log."""
    return _write(
        _rows(seed + 500_000, START - REFERENCE_DAYS * DAY, REFERENCE_DAYS, None), folder / "reference.parquet"
    )


def f1(log: str, said: str, true: str) -> float:
    """How well the rows of one predicate are those of another."""
    both, mine, yours = (_count(log, where) for where in (f"({said}) and ({true})", said, true))
    return 2 * both / (mine + yours)


def _count(log: str, where: str) -> int:
    [(count,)] = duckdb.execute(f"select count(*) from '{log}' where {where}").fetchall()
    return int(count)


def _rows(seed: int, start: datetime, days: int, fault: Fault | None) -> Rows:
    rng = np.random.default_rng(seed)
    number = days * ROWS_PER_DAY
    hour = rng.choice(24, number, p=_hours())
    day = np.sort(rng.integers(0, days, number))
    at = np.sort(day * DAY_US + hour * 3_600_000_000 + rng.integers(0, 3_600_000_000, number))
    rows = _inputs(rng, number)
    first = int(start.timestamp()) * 1_000_000
    rows["id"] = np.ma.array([f"p{seed}-{n:06d}" for n in range(number)])
    rows["ts"] = np.ma.array(first + at)
    elapsed = at / DAY_US
    rows["model_version"] = np.ma.array(np.where((elapsed >= 20) & (start == START), "1.1.0", "1.0.0"))
    noise, luck, delay = rng.normal(size=number), rng.random(number), rng.exponential(5, number)
    rows["latency_ms"] = np.ma.array(np.round(20 * np.exp(rng.normal(0, 0.3, number)), 1))
    rows["customer"] = np.ma.array(np.random.default_rng(seed + 3_000_000).integers(0, CUSTOMERS, number))
    true = _score(rows, noise)
    mask = _concerned(rows, elapsed, rng, fault)
    if fault is not None and fault.inputs is not None:
        fault.inputs(rows, mask, rng)
    rows["score"] = np.ma.array(_score(rows, noise))
    rows["prediction"] = np.ma.array((rows["score"] >= THRESHOLD).astype(np.int64))
    rows["label"] = np.ma.array((luck < true).astype(np.int64))
    rows["label_ts"] = np.ma.array(rows["ts"].data + ((2 + delay) * DAY_US).astype(np.int64))
    own = np.random.default_rng(seed + 2_000_000)  # columns that came later leave the others as they were
    rows["estimate"] = np.ma.array(np.round(50 + 0.1 * rows["amount"].data, 2))
    rows["cost"] = np.ma.array(np.round(rows["estimate"].data + own.normal(0, 25, number), 2))
    if fault is not None and fault.outputs is not None:
        fault.outputs(rows, mask, rng)
    return rows


def _make_strange(rows: Rows, rng: np.random.Generator, first: float) -> None:
    late = rows["ts"].data >= (START + first * DAY).timestamp() * 1_000_000
    for name in ("product", "channel", "region", "sex"):
        some = late & (rng.random(len(late)) < 0.5)
        rows[name] = np.ma.array(rows[name], dtype="U16")
        rows[name][some] = rng.choice([f"new {n}" for n in range(40)], int(some.sum()))
    for name in FEATURES:
        rows[name][late & (rng.random(len(late)) < 0.3)] = np.ma.masked
    rows["prediction"][late & (rng.random(len(late)) < 0.3)] = 2


def _hours() -> npt.NDArray[np.float64]:
    """More by day than by night."""
    weight = 1.3 + np.sin((np.arange(24) - 8) / 24 * 2 * np.pi)
    share: npt.NDArray[np.float64] = weight / weight.sum()
    return share


def _inputs(rng: np.random.Generator, number: int) -> Rows:
    income = np.round(np.exp(rng.normal(8, 0.3, number)), 2)
    return {
        "amount": np.ma.array(np.round(np.exp(rng.normal(7, 0.6, number)), 2)),
        "income": np.ma.array(income, mask=rng.random(number) < 0.01),
        "age": np.ma.array(rng.integers(18, 80, number)),
        "product": np.ma.array(
            rng.choice(["card", "loan", "car", "house"], number, p=[0.4, 0.3, 0.2, 0.1]).astype("U16")
        ),
        "channel": np.ma.array(rng.choice(["web", "app", "branch"], number, p=[0.5, 0.35, 0.15])),
        "region": np.ma.array(rng.choice(["north", "south", "east", "west"], number, p=[0.3, 0.3, 0.2, 0.2])),
        "sex": np.ma.array(rng.choice(["f", "m"], number)),
    }


def _score(rows: Rows, noise: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The model: burden against income; a missing income is taken as the usual one."""
    income = np.ma.filled(rows["income"], np.exp(8))
    burden = np.log(rows["amount"].data) - np.log(income) + 1
    risky = (rows["product"].data == "card").astype(float)
    score: npt.NDArray[np.float64] = np.round(1 / (1 + np.exp(-(1.5 * burden + 0.5 * risky - 1.2 + 0.5 * noise))), 6)
    return score


def _concerned(rows: Rows, elapsed: npt.NDArray[np.float64], rng: np.random.Generator, fault: Fault | None) -> Mask:
    mask = np.zeros(len(elapsed), dtype=bool)
    if fault is None:
        return mask
    mask |= (elapsed >= fault.start) & (elapsed < (DAYS if fault.end is None else fault.end))
    mask &= rng.random(len(elapsed)) < fault.share
    for part in () if fault.slice is None else fault.slice.split(" and "):
        if number := re.fullmatch(r"(\w+) >= (\d+)", part):
            mask &= rows[number[1]].data >= int(number[2])
        elif not part.startswith("model_version"):  # the fault itself brings the version
            column, *values = re.findall(r"^\w+|(?<=')\w+(?=')", part)
            mask &= np.isin(rows[column].data, values)
    return mask


def _write(rows: Rows, path: Path) -> str:
    def array(name: str) -> pa.Array:
        values = rows[name]
        kind = pa.timestamp("us") if name in {"ts", "label_ts"} else None
        return pa.array(values.data, kind, mask=np.ma.getmaskarray(values))

    names = [
        "id",
        "ts",
        *FEATURES,
        "region",
        "sex",
        "model_version",
        "latency_ms",
        "score",
        "prediction",
        "label",
        "label_ts",
        "estimate",
        "cost",
        "customer",
    ]
    pq.write_table(pa.table({name: array(name) for name in names}), path)
    return str(path)
