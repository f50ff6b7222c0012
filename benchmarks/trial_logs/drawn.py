"""Trials that nobody wrote: table, fault, features, slice and size are drawn by chance.

The written trials were chosen by the people who wrote the detectors; these were not chosen by anybody.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from trial_logs import faults as f
from trial_logs.build import Built, build, generator
from trial_logs.clock import RHYTHMS
from trial_logs.faults import BIAS, DRIFT, PERFORMANCE, PIPELINE, Fault
from trial_logs.newer_tables import NEWER
from trial_logs.sources import Table
from trial_logs.tables import table
from trial_logs.trial import Deploy, Mix, Trial

INCIDENTS_EACH, CONTROLS_EACH = 3, 2
DRAWS_MAX = 12
"""A fault that harms nobody, or a slice that is too small, is drawn again so often."""

NATURAL_SPAN = {"stops": ("2017-01-01", 360), "demand": ("2014-01-03", 360), "rodents": ("1980-01-01", 2900)}


def names() -> list[str]:
    """The names of all drawn trials."""
    kinds = [("incident", INCIDENTS_EACH), ("control", CONTROLS_EACH)]
    return [f"{name}_{kind}_{i}" for name in NEWER for kind, count in kinds for i in range(1, count + 1)]


def drawn(name: str, seed: int) -> Built:
    """Build a trial by its name.

    Raises:
        ValueError: if nothing that was drawn can be built.
    """
    source, kind, _ = name.rsplit("_", 2)
    why = ""
    for turn in range(DRAWS_MAX):
        rng = generator(f"{name}/{turn}", seed)
        try:
            return build(_trial(name, source, kind, rng), seed)
        except (ValueError, KeyError, IndexError) as error:
            why = str(error)
    raise ValueError(f"{name}: {DRAWS_MAX} draws, none can be built; the last: {why}")


def _trial(name: str, source: str, kind: str, rng: np.random.Generator) -> Trial:
    data = table(source)
    common = _natural(data, source) if data.natural else _replayed(data, rng)
    if data.problem == "binary" and rng.random() < 0.5:
        common["learner"] = str(rng.choice(["forest", "linear"]))
    common["delay_days"] = round(float(data.delay_days * rng.choice([0.5, 1.0])), 3)
    if kind == "incident":
        return Trial(name, source, **common, **_failure(data, rng))
    return Trial(name, source, **common, **_control(data, rng))


def _natural(data: Table, source: str) -> dict[str, object]:
    start, days = NATURAL_SPAN[source]
    rows = len(data.frame)
    return {"rows": rows, "days": days, "start": start, "reference": rows // 8, "train": rows // 4}


def _replayed(data: Table, rng: np.random.Generator) -> dict[str, object]:
    rows = len(data.frame)
    train, reference = min(8000, rows // 5), min(5000, rows // 8)
    most = rows - 2 * train - reference
    days = int(rng.integers(28, 120))
    return {
        "rows": int(min(most, rng.choice([4000, 12000, 40000, 120000]))),
        "days": days,
        "start": str((pd.Timestamp("2025-01-06") + pd.Timedelta(days=int(rng.integers(0, 400)))).date()),
        "reference": reference,
        "train": train,
        "rhythm": (str(rng.choice(RHYTHMS)), "steady"),
        "nightly": bool(rng.random() < 0.3),
        "labelled": float(rng.choice([1.0, 1.0, 0.5])),
    }


def _kinds(data: Table) -> tuple[list[str], list[str]]:
    numbers = [c for c in data.features if pd.api.types.is_numeric_dtype(data.frame[c]) and data.frame[c].nunique() > 6]
    words = [c for c in data.features if not pd.api.types.is_numeric_dtype(data.frame[c])]
    return numbers, words


def _slice(data: Table, rng: np.random.Generator) -> str | None:
    """All traffic, a value of a segment, or a cut of a number, a third each."""
    numbers, _ = _kinds(data)
    columns = [*data.segments, *data.protected]
    turn = rng.integers(3)
    if turn == 0 and numbers:
        column = str(rng.choice(numbers))
        cut = data.frame[column].quantile(float(rng.uniform(0.55, 0.85)))
        return f"{column} >= {cut:g}"
    if turn == 1 and columns:
        column = str(rng.choice(columns))
        shares = data.frame[column].value_counts(normalize=True)
        fit = [v for v, share in shares.items() if 0.06 <= share <= 0.5]
        value = fit[int(rng.integers(len(fit)))]
        return f"{column} = {value!r}" if isinstance(value, str) else f"{column} = {value:g}"
    return None


def _rows(where: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame.eval(where.replace(" = ", " == "))


def _failure(data: Table, rng: np.random.Generator) -> dict[str, object]:
    where, begins = _slice(data, rng), float(rng.uniform(0.3, 0.75))
    ends = float(rng.uniform(begins + 0.12, 0.95)) if rng.random() < 0.3 and begins < 0.7 else None
    _, words = _kinds(data)
    kinds: list[Callable[[], dict[str, object]]] = [lambda: _input(data, where, begins, ends, rng)] * 4
    kinds += [lambda: _retrain(data, where, begins, rng)] * 2
    kinds += [lambda: _output(data, where, begins, ends, rng)] * 2
    if data.problem == "binary":
        kinds += [lambda: _turned(where, begins, rng)]
    kinds += [lambda: {"fault": Fault(PIPELINE, "The label feed stopped.", begins, f.UNFED)}]
    if not data.natural and words:
        kinds += [lambda: _mix(data, words, begins, rng)]
    return kinds[int(rng.integers(len(kinds)))]()


def _input(
    data: Table, where: str | None, begins: float, ends: float | None, rng: np.random.Generator
) -> dict[str, object]:
    numbers, words = _kinds(data)
    number = str(rng.choice(numbers or list(data.features)))
    other = str(rng.choice([c for c in (numbers or list(data.features)) if c != number]))
    some = tuple(str(c) for c in rng.choice(list(data.features), min(3, len(data.features)), replace=False))
    high = data.frame[number].quantile(0.6) if numbers else 0
    ways: list[tuple[f.Harm, tuple[str, ...]]] = [
        (f.filled((number,), None), (number,)),
        (f.frozen((number,)), (number,)),
        (f.shuffled(some), some),
    ]
    if numbers:
        factor = float(rng.choice([0.01, 0.1, 0.4536, 1.609, 10.0, 100.0]))
        low = float(data.frame[number].min())
        ways += [
            (f.scaled((number,), factor), (number,)),
            (f.filled((number,), 0), (number,)),
            (f.clipped(number, low, float(high)), (number,)),
        ]
    if len(numbers) > 1:
        ways.append((f.swapped(number, other), (number, other)))
    if words:
        word = str(rng.choice(words))
        ways += [(f.renamed(word, str.upper), (word,)), (f.filled((word,), None), (word,))]
    harm, features = ways[int(rng.integers(len(ways)))]
    if where and any(where.startswith(f"{name} ") for name in features):
        where = None
    return {"fault": Fault(PIPELINE, "An input is broken.", begins, harm, ends=ends, where=where, features=features)}


def _retrain(data: Table, where: str | None, begins: float, rng: np.random.Generator) -> dict[str, object]:
    if data.problem == "regression":
        off = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 1.2) * data.frame["label"].std())

        def teach(train: pd.DataFrame, _r: np.random.Generator) -> pd.DataFrame:
            hit = _rows(where)(train) if where else pd.Series(np.ones(len(train), bool), index=train.index)
            return train.assign(label=train["label"] + off * hit)
    else:
        to = data.frame["label"].value_counts().index[int(rng.integers(2))]
        teach = f.mislabelled(
            _rows(where) if where else (lambda t: pd.Series(np.ones(len(t), bool), index=t.index)),
            float(rng.uniform(0.5, 0.9)),
            to,
        )
    canary = float(rng.choice([0.2, 1.0]))
    group = where is not None and where.split(" ")[0] in data.protected
    fault = Fault(
        BIAS if group else PERFORMANCE,
        "2.0.0 was trained on wrong labels.",
        begins,
        f.NOTHING,
        where=where,
        version="2.0.0",
        also=(PERFORMANCE,) if group else (BIAS,),
        category="model_behavior_change",
    )
    full = begins + 0.1 if canary < 1 and rng.random() < 0.5 else None
    return {"deploy": Deploy(begins, canary=canary, full=full, teach=teach), "fault": fault}


def _output(
    data: Table, where: str | None, begins: float, ends: float | None, rng: np.random.Generator
) -> dict[str, object]:
    if data.problem == "binary":
        harm = [f.rescored(lambda s: 1 - s, 0.5), f.rescored(lambda s: s * 0.6, 0.5)][int(rng.integers(2))]
        extra: dict[str, object] = {"threshold": 0.5}
    elif data.problem == "regression":
        factor = float(rng.choice([0.8, 1.15, 1.3]))
        harm, extra = f.repredicted(lambda p: p * factor), {}
    else:
        one, two = data.frame["label"].value_counts().index[:2]
        harm = f.repredicted(lambda p: np.where(p == one, two, np.where(p == two, one, p)).astype(object))
        extra = {}
    why = "Answers are changed on their way."
    return {**extra, "fault": Fault(PERFORMANCE, why, begins, harm, ends=ends, where=where, also=(PIPELINE,))}


def _turned(where: str | None, begins: float, rng: np.random.Generator) -> dict[str, object]:
    harm = f.turned(float(rng.uniform(0.2, 0.6)))
    return {"fault": Fault(PERFORMANCE, "The world turned.", begins, harm, where=where, also=(DRIFT,))}


def _mix(data: Table, words: list[str], begins: float, rng: np.random.Generator) -> dict[str, object]:
    word = str(rng.choice(words))
    shares = data.frame[word].value_counts(normalize=True)
    fit = [v for v, share in shares.items() if 0.06 <= share <= 0.4]
    value = fit[int(rng.integers(len(fit)))]
    where, top = f"{word} = '{value}'", float(rng.uniform(0.15, 0.4))
    mix = Mix(where, lambda at, _d: np.where(at >= begins, top, 0.0), unknown_before=True)
    fault = Fault(DRIFT, "A kind that the model never saw.", begins, f.NOTHING, where=where, features=(word,))
    return {"mix": mix, "fault": fault}


def _control(data: Table, rng: np.random.Generator) -> dict[str, object]:
    if data.natural:
        return {"control": "natural", "story": "as it happened."}
    _, words = _kinds(data)
    at = float(rng.uniform(0.3, 0.7))
    ways: list[dict[str, object]] = [
        {"control": "strict", "story": "rows are exchangeable with the reference."},
        {"control": "benign_change", "story": "a retrain of equal quality.", "deploy": Deploy(at)},
        {"control": "benign_change", "story": "labels take longer.", "slower_labels": (at, 1.8)},
        {"control": "benign_change", "story": "an equal canary.", "deploy": Deploy(at, canary=0.2, full=at + 0.2)},
    ]
    if words:
        word = str(rng.choice(words))
        value, share = next(iter(data.frame[word].value_counts(normalize=True).items()))
        low, high = share - 0.06, min(share + 0.06, 0.97)
        where = f"{word} = '{value}'"
        slow = Mix(where, lambda a, _d: low + (high - low) * a)
        week = Mix(where, lambda _a, day: np.where(day >= 5, high, low))
        ways += [
            {"control": "natural", "story": "the mix moves slowly.", "mix": slow},
            {"control": "seasonal", "story": "weekends are others.", "mix": week},
        ]
    return ways[int(rng.integers(len(ways)))]
