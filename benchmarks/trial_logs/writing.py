"""Writes a scenario folder in the format of the open set."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from trial_logs.build import Built, generator

DECOYS = (
    "autoscaler minimum replicas 2 -> 3",
    "base image patched (openssl)",
    "monitoring agent upgraded",
    "TLS certificate rotated",
    "UI copy change on result page",
    "log retention set to 400 days",
    "A/B test of e-mail template started",
    "queue workers moved to arm64",
)


def write(built: Built, folder: Path, seed: int) -> None:
    """Write log, reference, model file, truth and, where there is one, the counterfactual."""
    folder.mkdir(parents=True, exist_ok=True)
    _parquet(built.log, folder / "log.parquet")
    _parquet(built.reference, folder / "reference.parquet")
    if built.counterfactual is not None:
        _parquet(built.counterfactual, folder / "counterfactual.parquet")
    model = yaml.safe_dump(_model(built, seed), sort_keys=False, allow_unicode=True)
    (folder / "model.yaml").write_text(model, encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps(_truth(built), indent=1), encoding="utf-8")


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    pq.write_table(
        pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None), path, compression="zstd"
    )


def _model(built: Built, seed: int) -> dict[str, Any]:
    trial, source = built.trial, built.table
    binary, scored = source.problem == "binary", "score" in built.log.columns
    extras = [e.name for e in trial.extras]
    segments = [s for s in (*source.segments, *extras, *source.protected) if s not in trial.undeclared]
    return {
        "model_id": f"{source.name}-{source.task}".replace("_", "-"),
        "task": source.task,
        "dataset": source.name,
        "id_column": "prediction_id",
        "time_column": "ts",
        "score_column": "score" if scored else None,
        "prediction_column": "prediction",
        "label_column": "label",
        "label_time_column": "label_ts",
        "threshold": built.model.threshold if binary else None,
        "favourable_prediction": source.favourable if binary else None,
        "features": list(source.features),
        "protected_attributes": [p for p in source.protected if p not in trial.undeclared],
        "segments": list(dict.fromkeys(segments)),
        "label_delay_days_median": trial.delay_days or source.delay_days,
        "labelled_fraction": trial.labelled,
        "versions": _versions(built),
        "known_good_version": trial.version,
        "changes": _changes(built, seed),
        "notes": "Rows of a public table; "
        + ("times are its own." if source.natural else "ts and added columns are synthetic."),
    }


def _deployed(built: Built) -> Any:
    return built.log["ts"][built.log["model_version"] != built.trial.version].min().floor("h")


def _versions(built: Built) -> list[dict[str, str]]:
    trial, first = built.trial, built.log["ts"].iloc[0]
    if trial.deploy is None:
        return [{"version": trial.version, "deployed_at": str(first), "status": "production"}]
    return [
        {"version": trial.version, "deployed_at": str(first - timedelta(days=90)), "status": "replaced"},
        {"version": trial.deploy.version, "deployed_at": str(_deployed(built)), "status": "production"},
    ]


def _changes(built: Built, seed: int) -> list[dict[str, str]]:
    trial, first, last = built.trial, built.log["ts"].iloc[0], built.log["ts"].iloc[-1]
    rng = generator(trial.name + "/changes", seed)
    what = rng.choice(np.array(DECOYS), int(rng.integers(2, 5)), replace=False)
    at = first + (last - first) * rng.uniform(0.05, 0.95, len(what))
    found = [(pd.Timestamp(t).floor("min"), "infra", str(w)) for t, w in zip(at, what, strict=True)]
    if trial.deploy:
        found.append((_deployed(built), "deploy", f"{trial.deploy.version} {trial.deploy.what}"))
    if trial.fault and trial.fault.listed and built.onset:
        found.append((pd.Timestamp(built.onset), "pipeline", trial.fault.listed))
    found += [((first + (last - first) * share).floor("h"), "business", text) for share, text in trial.business]
    return [{"ts": str(t), "kind": kind, "what": text} for t, kind, text in sorted(found)]


def _slice(built: Built) -> dict[str, str] | None:
    fault = built.trial.fault
    return {"where": fault.where} if fault and fault.where else None


def _truth(built: Built) -> dict[str, Any]:
    trial, fault, log = built.trial, built.trial.fault, built.log
    hit = log["ts"][built.affected]
    changed = list(fault.features) if fault else []
    return {
        "scenario": trial.name,
        "incident": fault is not None,
        "control": trial.control,
        "type": fault.type if fault else None,
        "also_accept": list(fault.also) if fault else [],
        "root_cause_category": fault.category if fault else None,
        "origin": "injected" if fault else None,
        "background": "natural_time_order" if built.table.natural else "exchangeable",
        "onset": str(built.onset) if built.onset else None,
        "offset": str(built.offset) if built.offset else None,
        "affected_predicate": built.predicate,
        "affected_count": int(built.affected.sum()),
        "affected_fraction": round(float(built.affected.mean()), 5),
        "decisions_changed": _decisions_changed(built),
        "slice": _slice(built),
        "slice_predicate": fault.where if fault else None,
        "changed_feature": (changed[0] if len(changed) == 1 else changed) if changed else None,
        "changed_version": fault.version if fault else None,
        "version_accept": [],
        "root_cause": fault.cause if fault else f"None: {trial.story}",
        "rollback_helps": bool(fault.version) if fault else None,
        "harm_share": round(built.harm, 4),
        "first_affected_ts": str(hit.iloc[0]) if len(hit) else None,
        "last_affected_ts": str(hit.iloc[-1]) if len(hit) else None,
        "log_rows": len(log),
        "log_start": str(log["ts"].iloc[0]),
        "log_end": str(log["ts"].iloc[-1]),
    }


def _decisions_changed(built: Built) -> int | None:
    if built.counterfactual is None:
        return None
    return int(
        (built.log["prediction"][built.affected].to_numpy() != built.counterfactual["prediction_cf"].to_numpy()).sum()
    )
