"""One peer in the place of `andon scan`: writes `andon.scan/1`; the interpreter is the peer's own.

Example: python one.py plain scan log.parquet --model model.yaml --reference reference.parquet --json out.json
"""

# ruff: noqa: E402  # the folder must be found before its modules are imported

import argparse
import hashlib
import importlib
import json
import logging
import sys
import time
import warnings
from dataclasses import replace
from functools import reduce
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import pyarrow as pa
import pyarrow.compute as pc

from quality_peers.alerts import Alert, Incident, Scanned, document
from quality_peers.case import Case, read
from quality_peers.keeping import from_json, to_json
from quality_peers.readings import READINGS


def rows(case: Case, incident: Incident) -> int:
    """How many rows of the log the incident's predicate selects."""
    time, span = case.log[case.time], incident.span
    mask = pc.greater_equal(time, pa.scalar(span.start, time.type))
    if not incident.last:
        mask = pc.and_(mask, pc.less(time, pa.scalar(span.end, time.type)))
    segment = incident.alerts[0].segment
    for any_of in filter(None, ([segment] if segment else [], incident.rows)):
        hits = []
        for where in any_of:
            column = case.log[where.column]
            text = column.cast(pa.string()) if where.values else column
            hits.append(pc.is_in(text, pa.array(where.values)) if where.values else pc.is_null(column))
        mask = pc.and_(mask, reduce(pc.or_, hits))
    return int(pc.sum(mask).as_py() or 0)


def found(tool: str, asked: argparse.Namespace) -> tuple[Case, list[Alert], float]:
    """The case, the alerts of the tool and how long it took; the leading reading keeps them for the others."""
    checks = importlib.import_module(f"quality_peers.{tool}" if tool == "plain" else f"quality_peers.{tool}_checks")
    begun = time.perf_counter()
    case = read(asked.log, asked.reference, asked.model, replace(checks.LEAST, rows=asked.rows or checks.LEAST.rows))
    digest = hashlib.sha256(f"{tool} {case.period}".encode())
    for path in (asked.log, asked.reference, asked.model, Path(str(checks.__file__))):
        digest.update(path.read_bytes())
    kept = asked.keep / f"{tool}-{digest.hexdigest()[:16]}.json" if asked.keep else None
    if kept and kept.exists() and asked.reading != tool:
        return case, *from_json(kept.read_text(encoding="utf-8"))
    alerts = list(checks.alerts(case))
    seconds = time.perf_counter() - begun
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(to_json(alerts, seconds), encoding="utf-8")
    return case, alerts, seconds


def main() -> int:
    """Scan; 1 if there are incidents, 0 if there are none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reading", choices=READINGS)
    parser.add_argument("--keep", type=Path, help="keeps the alerts here, for other readings of the tool")
    parser.add_argument("--rows", type=int, help="how many rows a window has to hold; else as the tool needs")
    parser.add_argument("scan", choices=("scan",))
    parser.add_argument("log", type=Path)
    for name in ("--model", "--reference", "--json"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--now", help="taken and not needed: a cut log holds nothing later")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    reading = READINGS[asked.reading]
    case, alerts, seconds = found(reading.tool, asked)
    incidents = reading.incidents(alerts, case.windows)
    scanned = Scanned(
        str(case.model["model_id"]), len(case.times), case.times[0], case.times[-1], case.time, case.windows, seconds
    )
    asked.json.write_text(json.dumps(document(scanned, incidents, lambda i: rows(case, i)), indent=1), encoding="utf-8")
    return 1 if incidents else 0


if __name__ == "__main__":
    sys.exit(main())
