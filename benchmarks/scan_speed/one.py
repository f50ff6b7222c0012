"""One contestant over one log: prints a JSON line with its seconds; the interpreter is that of its environment.

Each peer is called as its documentation shows, with its defaults.
`WHAT` says what each computes: no two compute the same.
"""

# ruff: noqa: PLC0415, S608  # each contestant imports its own library, in its own environment; names are ours

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator

NUMERIC = [f"f{i:02d}" for i in range(12)]
CATEGORIES = [f"c{i}" for i in range(6)] + ["region", "sex", "age_band", "model_version"]
FEATURES = [*NUMERIC, "score", *CATEGORIES]
MODEL = [*FEATURES, "prediction", "label"]
WHAT = {
    "duckdb": "floor: reads and aggregates every column of the log once",
    "arrow": "floor: reads the log into memory",
    "andon log": "opens, checks and counts the log by the plan of the reference, hourly, without a surrogate",
    "andon log, surrogate": "the same with the surrogate of the known-good model, asked about every row",
    "andon distances": "what the peers do, by hour and slice: counts of both logs and all distances; opens no incident",
    "andon": "the whole scan: reference, log, hourly evaluations over features, slices and versions",
    "andon, reviews": "the whole scan of the reviewers instead, by the hour: decisions and seconds of each",
    "evidently": "DataDriftPreset on 23 columns and ClassificationPreset, one window, no slices",
    "nannyml": "univariate drift on 23 columns, CBPE, realised performance, daily chunks, no slices",
}
Steps = Iterator[None]


def duckdb_scan(reference: str, log: str, model: str) -> Steps:
    import duckdb

    yield
    found = duckdb.execute("select column_name, column_type from (describe from read_parquet(?))", [log]).fetchall()
    parts = [
        f"sum({name})" if kind == "DOUBLE" else f"count({name}), min({name})"
        for name, kind in found
        if "TIMESTAMP" not in kind
    ]
    duckdb.execute(f"select count(*), min(epoch_us(ts)), {', '.join(parts)} from read_parquet(?)", [log]).fetchall()


def arrow(reference: str, log: str, model: str) -> Steps:
    import pyarrow.parquet

    yield
    pyarrow.parquet.read_table(log)


def andon_log(reference: str, log: str, model: str) -> Steps:
    return _counted(reference, log, model, surrogate=False)


def andon_log_surrogate(reference: str, log: str, model: str) -> Steps:
    return _counted(reference, log, model, surrogate=True)


def _counted(reference: str, log: str, model: str, *, surrogate: bool) -> Steps:
    from dataclasses import replace

    from andon.adapters.duckdb.log import open_log
    from andon.base.interval import Grid
    from andon.bootstrap.model_files import read_model
    from andon.detect.planning import evaluation_length, make_plan, watch
    from andon.detect.registry import DETECTORS
    from andon.inventory.columns import resolve_columns

    declared = read_model(model)
    with open_log([reference], declared) as known_good, open_log([log], declared) as opened:
        resolved = resolve_columns(declared, opened.schema())
        watched = watch(resolved, known_good)
        watched = watched if surrogate else replace(watched, extractors={})
        cubes = [cube for detector in DETECTORS for cube in detector.cubes(watched)]
        plan = make_plan(watched, cubes, Grid(evaluation_length(opened, resolved)))
        types = known_good.schema()
    yield
    with open_log([log], declared, types=types) as opened:
        opened.summarize(plan, opened.period().end)


def andon(reference: str, log: str, model: str) -> Steps:
    from andon.bootstrap.model_files import read_model
    from andon.bootstrap.wiring import scan_log
    from andon.incident.document import to_document

    yield
    FOUND.update(to_document(scan_log([log], read_model(model), reference)))


def andon_reviews(reference: str, log: str, model: str) -> Steps:
    from dataclasses import replace
    from datetime import timedelta

    from andon.bootstrap.model_files import read_model
    from andon.bootstrap.wiring import scan_log
    from andon.incident.document import to_document

    yield
    known = read_model(model)
    columns = replace(known.columns, prediction="review_decision", score=None, label=None, version=None)
    parts = {"features": ("review_seconds",), "segments": ("reviewer",), "protected": ()}
    watched = replace(known, columns=columns, evaluation=timedelta(hours=1), **parts)
    FOUND.update(to_document(scan_log([log], watched, reference)))


DISTANCES = (
    *("null_share", "category_share", "feature_distribution", "slice_distribution"),
    *("prediction_rate", "slice_prediction_rate", "score_distribution", "error_rate", "calibration"),
)
"""The detectors that compare distributions and errors, as the peers' presets do; others have no counterpart there."""


def andon_distances(reference: str, log: str, model: str) -> Steps:
    from andon.adapters.duckdb.log import open_log
    from andon.base.interval import Grid
    from andon.bootstrap.model_files import read_model
    from andon.detect import planning
    from andon.detect.budget import Budget
    from andon.detect.history import History
    from andon.detect.hit import search
    from andon.detect.registry import DETECTORS
    from andon.inventory.columns import resolve_columns

    planning.fit = lambda *_: None  # no surrogate of the model: no peer has one
    detectors = [each for each in DETECTORS if each.name in DISTANCES]
    yield
    declared = read_model(model)
    with open_log([reference], declared) as known_good:
        types = known_good.schema()
        with open_log([log], declared, types=types) as opened:
            resolved = resolve_columns(declared, opened.schema())
            grid = Grid(planning.evaluation_length(opened, resolved))
            watched = planning.watch(resolved, known_good)
            plan = planning.make_plan(watched, [cube for each in detectors for cube in each.cubes(watched)], grid)
            counted = [source.summarize(plan, source.period().end) for source in (opened, known_good)]
            history = History.of(plan, counted[0], counted[1], opened.period().end)
            search(watched, history, detectors, Budget(resolved.false_incidents_per_quarter))


FOUND: dict[str, object] = {}


def evidently(reference: str, log: str, model: str) -> Steps:
    import pandas as pd
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.presets import ClassificationPreset, DataDriftPreset

    yield
    ref, cur = (pd.read_parquet(path, columns=MODEL) for path in (reference, log))
    drift = DataDefinition(numerical_columns=[*NUMERIC, "score"], categorical_columns=CATEGORIES)
    Report([DataDriftPreset()]).run(
        *(Dataset.from_pandas(f[FEATURES], data_definition=drift) for f in (cur, ref))
    ).dict()
    answers = BinaryClassification(
        target="label", prediction_labels="prediction", prediction_probas="score", pos_label=1
    )
    quality = DataDefinition(classification=[answers])
    labelled = [f.loc[f.label.notna(), ["label", "prediction", "score"]] for f in (cur, ref)]
    known = [f.astype({"label": int, "prediction": int}) for f in labelled]
    Report([ClassificationPreset()]).run(*(Dataset.from_pandas(f, data_definition=quality) for f in known)).dict()


def nannyml(reference: str, log: str, model: str) -> Steps:
    import nannyml as nml
    import pandas as pd

    yield
    ref, cur = (pd.read_parquet(path, columns=[*MODEL, "ts"]) for path in (reference, log))
    for f in (ref, cur):
        f["ts"] = f["ts"].dt.tz_localize(None)
        f["prediction"] = f["prediction"].astype(int)
        f["label"] = f["label"].astype(float)
    axis = {"timestamp_column_name": "ts", "chunk_period": "D"}
    drift = nml.UnivariateDriftCalculator(column_names=FEATURES, treat_as_categorical=CATEGORIES, **axis)
    drift.fit(ref).calculate(cur).to_df()
    answers = {"y_pred_proba": "score", "y_pred": "prediction", "y_true": "label", "metrics": ["roc_auc", "f1"]}
    answers |= {"problem_type": "classification_binary", **axis}
    known = ref[ref.label.notna()]
    nml.CBPE(**answers).fit(known).estimate(cur).to_df()
    nml.PerformanceCalculator(**answers).fit(known).calculate(cur[cur.label.notna()]).to_df()


RUN: dict[str, Callable[[str, str, str], Steps]] = {
    "duckdb": duckdb_scan,
    "arrow": arrow,
    "andon log": andon_log,
    "andon log, surrogate": andon_log_surrogate,
    "andon distances": andon_distances,
    "andon": andon,
    "andon, reviews": andon_reviews,
    "evidently": evidently,
    "nannyml": nannyml,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("contestant", "reference", "log", "model"):
        parser.add_argument(name)
    asked = parser.parse_args()
    sys.stdout = sys.stderr  # peers print
    steps = RUN[asked.contestant](asked.reference, asked.log, asked.model)
    next(steps)  # imports, and what does not count
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in steps:
        pass
    seconds = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = json.dumps({"contestant": asked.contestant, **seconds, "memory_bytes": memory, "scan": FOUND})
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    main()
