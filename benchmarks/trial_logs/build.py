"""Builds one trial: rows, models, decisions, labels, the fault, and the truth about it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from trial_logs.clock import arrivals
from trial_logs.models import Model, fit
from trial_logs.sources import Table
from trial_logs.tables import table
from trial_logs.trial import Extra, Mix, Trial

HARM_MIN = 0.02
"""The least share of affected decisions that a fault must change to count as harm worth waking someone."""


@dataclass(frozen=True, slots=True)
class Built:
    """A finished scenario before it is written."""

    trial: Trial
    table: Table
    log: pd.DataFrame
    reference: pd.DataFrame
    counterfactual: pd.DataFrame | None
    model: Model
    onset: datetime | None
    offset: datetime | None
    predicate: str | None
    affected: np.ndarray
    harm: float


@dataclass(frozen=True, slots=True)
class Parts:
    """Rows for training (of both versions), reference and log, apart from each other."""

    train: pd.DataFrame
    retrain: pd.DataFrame
    reference: pd.DataFrame
    log: pd.DataFrame


def build(trial: Trial, seed: int) -> Built:
    """Make the scenario; the same trial and seed give the same rows.

    Raises:
        ValueError: if the table has too few rows, or if the fault harms next to nobody.
    """
    rng = generator(trial.name, seed)
    source = table(trial.table)
    source = replace(
        source, frame=source.frame.assign(**{e.name: _drawn(e, len(source.frame), rng) for e in trial.extras})
    )
    parts = _parts(trial, source, rng)
    models = _models(trial, source, parts, rng)
    reference = _decided(parts.reference, models[:1], np.zeros(len(parts.reference), int), trial)
    reference = _labelled(_plain_times(trial, reference, rng), replace(trial, slower_labels=None), source, rng)
    which = _versions(trial, parts.log["ts"], rng)
    onset, offset, rows, predicate = _struck(trial, parts.log, which, rng)
    good = _decided(parts.log, models[:1], np.zeros(len(parts.log), int), trial)
    log = _decided(_at(trial, "input", parts.log, rows, rng), models, which, trial)
    log = _at(trial, "label", _at(trial, "output", log, rows, rng), rows, rng)
    harm = _harm(source, log, good, rows) if trial.fault else 0.0
    log = _labelled(log, trial, source, rng)
    if onset and _stage(trial) == "feed":
        rows, predicate, log = _unfed(log, onset)
    log = _censored(log)
    if _stage(trial) == "rows":
        log, rows = _twice(log, rows, rng)
    log = _named(log, "p")
    _check(trial, log, predicate, rows, harm)
    twin = _counterfactual(trial, log, good, rows)
    return Built(trial, source, log, _named(reference, "r"), twin, models[0], onset, offset, predicate, rows, harm)


def _stage(trial: Trial) -> str:
    return trial.fault.harm.stage if trial.fault else "none"


def _at(trial: Trial, stage: str, log: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The log after the fault struck, if it strikes at this stage."""
    out = log.copy()
    if trial.fault and _stage(trial) == stage:
        trial.fault.harm.change(out, rows, rng)
    return out


def generator(name: str, seed: int) -> np.random.Generator:
    """The chance of one trial, apart from all others."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big"))


def selected(frame: pd.DataFrame, predicate: str) -> np.ndarray:
    """The rows of a frame that an SQL predicate selects, as a mask."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone='UTC'")
        con.register("log", pa.Table.from_pandas(frame, preserve_index=False))
        found = con.execute(f"SELECT coalesce({predicate}, false) AS hit FROM log").fetchnumpy()["hit"]  # noqa: S608
    return np.asarray(found, bool)


def _drawn(extra: Extra, rows: int, rng: np.random.Generator) -> np.ndarray:
    shares = np.array(extra.shares) / sum(extra.shares)
    return rng.choice(np.array(extra.values, dtype=object), rows, p=shares)


def _parts(trial: Trial, source: Table, rng: np.random.Generator) -> Parts:
    frame = source.frame
    if source.natural:
        first = np.datetime64(trial.start)
        frame = frame[(frame["ts"] >= first) & (frame["ts"] < first + np.timedelta64(trial.days, "D"))]
    frame = frame.sample(frac=1.0, random_state=int(rng.integers(2**31))).reset_index(drop=True)
    held = np.zeros(len(frame), bool)
    if trial.mix and trial.mix.unknown_before:
        held = selected(frame, trial.mix.where)
    free = frame[~held]
    cuts = np.cumsum([trial.train, trial.train if trial.deploy else 0, trial.reference])
    train, retrain, reference = free[: cuts[0]], free[cuts[0] : cuts[1]], free[cuts[1] : cuts[2]]
    pool = pd.concat([free[cuts[2] :], frame[held]])
    if not source.natural:
        times = arrivals(rng, trial.rows, datetime.fromisoformat(trial.start), trial.days, trial.rhythm)
        log = _mixed(trial, trial.mix, pool, times, rng) if trial.mix else pool[: trial.rows]
        if len(log) < trial.rows:
            raise ValueError(f"{trial.name}: {len(log)} rows are left for a log of {trial.rows}")
        return Parts(train, retrain, reference, log.reset_index(drop=True).assign(ts=times))
    log = pool[: trial.rows].sort_values("ts", kind="stable").reset_index(drop=True)
    seconds = np.sort(rng.integers(0, 59_000, len(log)))
    log["ts"] = (
        (log["ts"].to_numpy().astype("datetime64[ms]") + seconds.astype("timedelta64[ms]")) if len(log) else log["ts"]
    )
    return Parts(
        train, retrain, reference.sort_values("ts"), log.sort_values("ts", kind="stable").reset_index(drop=True)
    )


def _mixed(trial: Trial, mix: Mix, pool: pd.DataFrame, times: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    stamps = pd.DatetimeIndex(times)
    at = (stamps - stamps[0]) / timedelta(days=trial.days)
    inside = selected(pool, mix.where)
    wanted = rng.random(len(times)) < mix.share(np.asarray(at), stamps.dayofweek.to_numpy())
    place = np.empty(len(times), int)
    for group in (True, False):
        candidates = np.flatnonzero(inside == group)
        slots = np.flatnonzero(wanted == group)
        if len(candidates) < len(slots):
            raise ValueError(
                f"{trial.name}: the mix needs {len(slots)} rows of one kind, the table has {len(candidates)}"
            )
        place[slots] = rng.permutation(candidates)[: len(slots)]
    return pool.iloc[place]


def _models(trial: Trial, source: Table, parts: Parts, rng: np.random.Generator) -> list[Model]:
    models = [fit(source, parts.train, trial.learner, 7, trial.threshold)]
    if trial.deploy:
        taught = trial.deploy.teach(parts.retrain, rng) if trial.deploy.teach else parts.retrain
        models.append(fit(source, taught, trial.deploy.learner or trial.learner, 8, models[0].threshold))
    return models


def _moment(log: pd.DataFrame, share: float) -> datetime:
    """A share of the log's days, on a full hour."""
    first = pd.Timestamp(log["ts"].iloc[0]).floor("h").to_pydatetime()
    last = pd.Timestamp(log["ts"].iloc[-1]).to_pydatetime()
    return first + timedelta(hours=int((last - first) / timedelta(hours=1) * share))


def _versions(trial: Trial, times: pd.Series, rng: np.random.Generator) -> np.ndarray:
    which = np.zeros(len(times), int)
    if trial.deploy is None:
        return which
    frame = times.to_frame("ts")
    live = (times >= _moment(frame, trial.deploy.at)).to_numpy()
    full = live & (times >= _moment(frame, trial.deploy.full or 2.0)).to_numpy()
    return np.where(full | (live & (rng.random(len(times)) < trial.deploy.canary)), 1, 0)


def _decided(frame: pd.DataFrame, models: list[Model], which: np.ndarray, trial: Trial) -> pd.DataFrame:
    names = [trial.version, trial.deploy.version if trial.deploy else ""]
    out = frame.copy()
    answers = [m.answer(frame) for m in models]
    chosen = which if len(models) > 1 else np.zeros(len(frame), int)
    if answers[0].score is not None:
        out["score"] = np.choose(chosen, [a.score for a in answers])
    prediction = answers[0].prediction
    if len(answers) > 1:
        prediction = np.where(chosen == 1, answers[1].prediction, prediction)
    out["prediction"] = prediction
    out["model_version"] = np.array(names, dtype=object)[chosen]
    return out


def _struck(
    trial: Trial, log: pd.DataFrame, which: np.ndarray, rng: np.random.Generator
) -> tuple[datetime | None, datetime | None, np.ndarray, str | None]:
    fault = trial.fault
    if fault is None:
        return None, None, np.zeros(len(log), bool), None
    onset = _moment(log, fault.begins)
    offset = _moment(log, fault.ends) if fault.ends is not None else None
    if fault.version and trial.deploy:
        parts = [f"model_version = '{fault.version}'"]
    else:
        parts = [f"ts >= '{onset}'"] + ([f"ts < '{offset}'"] if offset else [])
    if fault.where:
        parts.append(f"({fault.where})" if " or " in fault.where.lower() else fault.where)
    names = np.array([trial.version, trial.deploy.version if trial.deploy else ""], dtype=object)
    rows = selected(log.assign(model_version=names[which]), " and ".join(parts))
    if fault.share < 1.0:
        rows &= rng.random(len(rows)) < fault.share
    if fault.marks:
        parts.append(fault.marks)
    return onset, offset, rows, " and ".join(parts)


def _plain_times(trial: Trial, reference: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if "ts" in reference.columns:
        return reference.reset_index(drop=True)
    days = max(trial.days // 2, 10)
    start = datetime.fromisoformat(trial.start) - timedelta(days=days)
    times = arrivals(rng, len(reference), start, days, (trial.rhythm[0], "steady"))
    return reference.reset_index(drop=True).assign(ts=times)


def _labelled(log: pd.DataFrame, trial: Trial, source: Table, rng: np.random.Generator) -> pd.DataFrame:
    """When each label arrives: one by one (log-normal round the delay), or in a nightly batch at 05:00."""
    delay = trial.delay_days or source.delay_days
    ts = log["ts"].to_numpy().astype("datetime64[ms]")
    if trial.nightly:
        arrival = ts.astype("datetime64[D]") + np.timedelta64(int(np.ceil(delay)), "D") + np.timedelta64(5, "h")
    else:
        days = delay * rng.lognormal(0.0, 0.25, len(log))
        if trial.slower_labels:
            late = ts >= np.datetime64(_moment(log, trial.slower_labels[0]))
            days = np.where(late, days * trial.slower_labels[1], days)
        arrival = ts + (days * 86_400_000).astype("timedelta64[ms]")
    label = log["label"].where(rng.random(len(log)) < trial.labelled, None)
    out = log.assign(label=label, label_ts=arrival)
    out["latency_ms"] = rng.lognormal(3.4, 0.5, len(log)).round(1)
    return out.assign(label_ts=out["label_ts"].where(out["label"].notna(), pd.NaT))


def _unfed(log: pd.DataFrame, onset: datetime) -> tuple[np.ndarray, str, pd.DataFrame]:
    end = log["ts"].iloc[-1]
    lost = ((log["label_ts"] >= onset) & (log["label_ts"] <= end)).to_numpy()
    first = log["ts"][lost].min().floor("D")
    last = log["ts"][lost].max().floor("D") + timedelta(days=1)
    predicate = f"ts >= '{first}' and ts < '{last}'"
    gone = log["label_ts"] >= onset
    return (
        lost,
        predicate,
        log.assign(label=log["label"].where(~gone, None), label_ts=log["label_ts"].where(~gone, pd.NaT)),
    )


def _censored(log: pd.DataFrame) -> pd.DataFrame:
    """No label that arrives after the log's end."""
    late = log["label_ts"] > log["ts"].iloc[-1]
    return log.assign(label=log["label"].where(~late, None), label_ts=log["label_ts"].where(~late, pd.NaT))


def _twice(log: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    again = log[rows].copy()
    again["ts"] = again["ts"] + pd.to_timedelta(rng.integers(1500, 9000, len(again)), unit="ms")
    both = (
        pd.concat([log.assign(_hit=rows), again.assign(_hit=True)])
        .sort_values("ts", kind="stable")
        .reset_index(drop=True)
    )
    return both.drop(columns="_hit"), both["_hit"].to_numpy(bool)


def _named(frame: pd.DataFrame, letter: str) -> pd.DataFrame:
    out = frame.drop(columns=[c for c in frame.columns if c.startswith("_")]).reset_index(drop=True)
    out.insert(0, "prediction_id", [f"{letter}{i:07d}" for i in range(len(out))])
    if pd.api.types.is_object_dtype(out["label"]) and not any(
        isinstance(v, str) for v in out["label"].dropna().head(5)
    ):
        out["label"] = out["label"].astype(float)
    return out


def _harm(source: Table, log: pd.DataFrame, good: pd.DataFrame, rows: np.ndarray) -> float:
    """The share of affected decisions, scores or labels that are not what they would have been."""
    if source.problem == "regression":
        off = np.abs(log["prediction"] - good["prediction"])[rows]
        return float((off > 0.1 * np.std(good["prediction"])).mean())
    other = [(log[c] != good[c])[rows].mean() for c in ("prediction", "label")]
    return float(max(*other, (np.abs(log["score"] - good["score"])[rows] > 0.1).mean()))


def _check(trial: Trial, log: pd.DataFrame, predicate: str | None, rows: np.ndarray, harm: float) -> None:
    if trial.fault is None:
        return
    if not np.array_equal(selected(log, predicate or "false"), rows):
        raise ValueError(f"{trial.name}: the predicate does not select the rows hit: {predicate}")
    if trial.mix or trial.fault.harm.stage in {"feed", "rows"}:
        return
    if not harm >= HARM_MIN:
        raise ValueError(f"{trial.name}: the fault changes {harm:.1%} of the decisions it touches")


def _counterfactual(trial: Trial, log: pd.DataFrame, good: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame | None:
    fault = trial.fault
    if fault is None or (fault.harm.stage not in {"input", "output"} and fault.version is None):
        return None
    out = pd.DataFrame({"prediction_id": log["prediction_id"][rows], "prediction_cf": good["prediction"][rows]})
    return out.assign(score_cf=good["score"][rows]) if "score" in good else out
