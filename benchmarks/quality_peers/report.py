"""The tables of a quality run."""

from collections.abc import Mapping
from typing import Any

from quality_peers.readings import READINGS

BEGIN, END = "<!-- tables of benchmarks/quality.py -->", "<!-- end -->"
Scores = Mapping[str, Mapping[str, Any]]
HEADS = (
    "found",
    "rows F1, mean",
    "right type",
    "start ok",
    "clean",
    "false in controls",
    "false elsewhere",
    "decided before, median",
    "seconds",
)


def table(scores: Scores, facts: str) -> str:
    """Markdown: sizes and facts of the run, the totals of each reading, what happened in each scenario."""
    rows = next(iter(scores.values()))["scenarios"]
    real = sum(row["incident"] for row in rows)
    lines = [f"{len(rows)} logs, {real} with an incident, {len(rows) - real} controls. {facts}", ""]
    lines += [f"| | {' | '.join(HEADS)} |", f"|---|{'--:|' * len(HEADS)}"]
    tools: set[str] = set()
    for name, score in scores.items():
        tool = READINGS[name].tool if name in READINGS else name
        lines.append(f"| {_bold(name)} | {' | '.join(_totals(score, again=tool in tools))} |")
        tools.add(tool)
    read = [name for name in scores if name in READINGS]
    lines += ["", "What pages somebody:", "", *(f"- {name}: {READINGS[name].says}" for name in read)]
    heads = [name for name in scores if _leads(name)]
    lines += ["", f"| scenario | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for i, row in enumerate(rows):
        cells = [_cell(scores[name]["scenarios"][i]) for name in heads]
        lines.append(f"| {row['scenario']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def replaced(document: str, tables: str) -> str:
    """The document with other tables between its markers.

    Raises:
        ValueError: it has no markers.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def _leads(name: str) -> bool:
    """Whether it is the leading reading of its tool."""
    return name not in READINGS or READINGS[name].tool == name


def _bold(name: str) -> str:
    return f"**{name}**" if _leads(name) else name


def _totals(score: Mapping[str, Any], *, again: bool) -> list[str]:
    totals = score["totals"]
    of = totals["incidents"]
    decided = totals["decided_before_detection_median"]
    return [
        f"{totals['found']} of {of}",
        f"{totals['rows_f1_mean_over_all'] or 0:.2f}",
        str(totals["type_ok"]),
        str(totals["start_ok"]),
        str(totals["clean"]),
        str(totals["false_in_controls"]),
        str(totals["false_elsewhere"]),
        "" if decided is None else f"{decided:.0%}",
        "the same" if again else f"{sum(row['seconds'] for row in score['scenarios']):.0f}",
    ]


def _cell(row: Mapping[str, Any]) -> str:
    """One scenario of one contestant, in words."""
    false = f"{row['false']} false" if row["false"] else ""
    if row["error"]:
        return "broke off"
    if not row["incident"]:
        return false or "silent"
    if not row["found"]:
        return f"missed{', ' * bool(false)}{false}"
    said = [f"rows {row['rows_f1']:.2f}", f"{row['decided_before_detection']:.0%} decided"]
    said += [] if row["type_ok"] else ["wrong type"]
    said += [] if row["start_ok"] else ["wrong start"]
    return ", ".join([*said, *([false] if false else [])])
