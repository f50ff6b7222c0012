"""The table of a speed run, its targets, and which of the planted faults were found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from scan_speed.one import WHAT

MILLION, TEN_MILLION = 1_000_000, 10_000_000
GIB = 1 << 30
Results = Mapping[tuple[int, str], Mapping[str, Any]]
START, HOURS = datetime(2026, 1, 1, tzinfo=UTC), 720


@dataclass(frozen=True)
class Planted:
    """A fault that the generator plants: its column, its slice, and when, as a share of the log's rows."""

    name: str
    column: str
    slice: str
    share: float
    seen_by: str = "andon"


PLANTED = (
    Planted("model_version v1 becomes v2", "version v2", "", 0.50),
    Planted("f03 in other units where region = 'r3'", "f03", "region = 'r3'", 0.60),
    Planted("f05 null for 30 % of rows", "f05", "", 0.65),
    Planted("c2 shows a value never seen before", "c2", "", 0.70),
    Planted("positive labels double in r1, 60+", "label", "region = 'r1' and age_band = '60+'", 0.75),
    Planted("reviewer u07 approves all in two seconds", "review_seconds", "reviewer = 'u07'", 0.80, "andon, reviews"),
)
"""The last by a model file of the reviewers: their decisions, their seconds."""


def table(results: Results) -> str:
    """Markdown: what ran, the targets, the planted faults."""
    lines = [
        "| rows | what runs | seconds | CPU seconds | × DuckDB scan | by CPU seconds | peak memory | |",
        "|--:|---|--:|--:|--:|--:|--:|---|",
    ]
    order = list(WHAT)
    for (rows, contestant), found in sorted(results.items(), key=lambda each: (each[0][0], order.index(each[0][1]))):
        if "failed" in found:
            lines.append(f"| {rows:,} | {contestant} | failed | | | | | {found['failed']} |")
            continue
        used = [found[key] for key in ("seconds", "cpu_seconds")]
        floors = [results.get((rows, "duckdb"), {}).get(key, float("nan")) for key in ("seconds", "cpu_seconds")]
        times = [f"{mine / floor:.1f}" for mine, floor in zip(used, floors, strict=True)]
        cells = (*(f"{each:.1f}" for each in used), *times, f"{found['memory_bytes'] / GIB:.2f} GiB")
        lines.append(f"| {rows:,} | {contestant} | {' | '.join(cells)} | {WHAT[contestant]} |")
    lines += ["", "| target | limit | measured | met |", "|---|--:|--:|---|"]
    lines += [
        f"| {name} | {limit} | {value:.2f} | {'yes' if met else '**no**'} |"
        for name, limit, value, met in targets(results)
    ]
    lines += ["", "| planted fault | found |", "|---|---|"]
    largest = max(rows for rows, _ in results)
    lines += [
        f"| {fault.name} | {_found(fault, results.get((largest, fault.seen_by), {}).get('scan', {}), largest)} |"
        for fault in PLANTED
    ]
    return "\n".join(lines) + "\n"


def targets(results: Results) -> Iterator[tuple[str, str, float, bool]]:
    """Name, limit, measured value, and whether it is met, of each target whose figures are there."""

    def ratio(over: tuple[int, str], under: tuple[int, str], key: str = "seconds") -> float | None:
        above, below = (results.get(each, {}).get(key) for each in (over, under))
        return None if above is None or below is None else float(above) / float(below)

    memory = results.get((TEN_MILLION, "andon"), {}).get("memory_bytes")
    ten, one = TEN_MILLION, MILLION
    wanted = (
        ("current log at 10 M, × the DuckDB scan", 2.5, ratio((ten, "andon log"), (ten, "duckdb")), False),
        ("Evidently at 1 M, × Andon's distances", 15, ratio((one, "evidently"), (one, "andon distances")), True),
        ("NannyML at 1 M, × Andon's distances", 5, ratio((one, "nannyml"), (one, "andon distances")), True),
        ("memory at 10 M, GiB", 1, None if memory is None else memory / GIB, False),
        ("memory at 10 M, × that of 1 M", 1.3, ratio((ten, "andon"), (one, "andon"), "memory_bytes"), False),
    )
    for name, limit, value, at_least in wanted:
        if value is not None:
            sign, met = ("≥", value >= limit) if at_least else ("≤", value <= limit)
            yield name, f"{sign} {limit:g}", value, met


def missed(results: Results) -> list[str]:
    """The targets that are not met, and what did not run."""
    failed = [contestant for (_, contestant), found in results.items() if "failed" in found]
    return [*failed, *(name for name, _, _, met in targets(results) if not met)]


def _found(fault: Planted, scan: Mapping[str, Any], rows: int) -> str:
    """How a scan says it, with the column and the slice, and how far the hours in which it says so are from the truth.

    An incident of its own has an estimated start; a finding has the window of rows by which it was found; a version
    that did no harm is a remark.
    """
    planted = time_of_row(rows, fault.share)
    for incident in scan.get("incidents", []):
        where = (incident["slice"] or {}).get("predicate", "")
        if fault.column in incident["changed"]["features"] and fault.slice in where:
            return f"an incident, start {_hours(incident['started_at'], planted)} from the truth"
    for incident in scan.get("incidents", []):
        for each in incident["findings"]:
            if fault.column in [*each["features"], *(each["mark"] or "").split()] and fault.slice in str(each["slice"]):
                begin, end = (_hours(each["window"][key], planted) for key in ("start", "end"))
                return f"a finding ({each['detector']}), rows of {begin} to {end} from the truth"
    for note in scan.get("notes", []):
        if fault.column in note["text"]:
            return f"a remark, {_hours(note['at'], planted)} from the truth"
    return "**not found**"


def time_of_row(rows: int, share: float) -> datetime:
    """When a row was decided, by the generator's daily rhythm."""
    weight = 1 + 0.5 * np.sin(2 * np.pi * (np.arange(HOURS) % 24 - 9) / 24)
    edge = np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum()
    return START + timedelta(hours=float(np.interp((np.ceil(share * rows)) / rows, edge, np.arange(HOURS + 1))))


def _hours(at: str, planted: datetime) -> str:
    return f"{(datetime.fromisoformat(at) - planted).total_seconds() / 3600:+.1f} h"
