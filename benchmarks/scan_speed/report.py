"""The table of a speed run, its targets, and which of the planted faults were found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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


PLANTED = (
    Planted("f03 in other units where region = 'r3'", "f03", "region = 'r3'", 0.60),
    Planted("f05 null for 30 % of rows", "f05", "", 0.65),
    Planted("c2 shows a value never seen before", "c2", "", 0.70),
    Planted("positive labels double in r1, 60+", "label", "region = 'r1' and age_band = '60+'", 0.75),
)
"""Those that the model file lets a scan see; the version is announced, and no detector looks at reviewers yet."""


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
    incidents = results.get((largest, "andon"), {}).get("incidents", [])
    lines += [f"| {fault.name} | {_found(fault, incidents)} |" for fault in PLANTED]
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


def _found(fault: Planted, incidents: list[dict[str, Any]]) -> str:
    """How the scan says it: as an incident of its own, among the findings of another, or not."""
    planted = START + timedelta(hours=HOURS * fault.share)
    for incident in incidents:
        where = (incident["slice"] or {}).get("predicate", "")
        if fault.column in incident["changed"]["features"] and fault.slice in where:
            late = datetime.fromisoformat(incident["started_at"]) - planted
            return (
                f"an incident, start {late.total_seconds() / 3600:+.1f} h from the truth (± 2 h for the daily rhythm)"
            )
    for incident in incidents:
        if any(fault.column in str(each) and fault.slice in str(each["slice"]) for each in incident["findings"]):
            return "among the findings of another incident"
    return "**not found**"
