#!/usr/bin/env python3
"""Would the detectors be as good had a dataset not been looked at? Leave one dataset out; see README.md.

What was chosen by looking at logs is chosen again for each dataset, by the scores on the others: the fewest false
incidents, then the most incidents right, then the best rows; what is shipped wins ties. Both figures are shown.

Example: python benchmarks/leave_out.py SCENARIOS --scorer score.py --update docs/comparison.md
"""

import argparse
import fnmatch
import itertools
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- table of benchmarks/leave_out.py -->", "<!-- end of that table -->"

CHOICES: Mapping[str, str] = {
    "a score must move by a medium effect": "andon.detect.mark.EFFECT_MEDIUM = 0.2",
    "its family's habits open": (
        "andon.detect.hit._opening = lambda series, threshold: "
        "(series.log.count >= 0) & [[not mark.witness] for mark in series.marks]"
    ),
    "shared weather and a handful of rows wait": "andon.detect.hit.SHARED_LEAST = 2; andon.alert.grouping.ROWS_MIN = 1",
}
"""What was chosen by looking at logs, and the statements that do without it."""

Scores = list[dict[str, Any]]


def command(left: Iterable[str]) -> str:
    """What stands in the place of `andon`, without some of the choices."""
    first = "import andon.detect.mark, andon.detect.jump"
    patches = [CHOICES[each] for each in left]
    marks = [each for each in patches if ".mark." in each]  # before what imports them by name
    others = [each for each in patches if each not in marks]
    program = "; ".join(
        [
            first,
            *marks,
            "import andon.detect.hit, andon.alert.grouping",
            *others,
            "import andon.interfaces.cli.app as app",
            "app.main()",
        ]
    )
    return shlex.join([sys.executable, "-c", program])


def scored(scenarios: Path, given: argparse.Namespace, left: tuple[str, ...]) -> Scores:
    """The scorer's rows of all scenarios."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "scores.json"
        words = [str(scenarios), "--andon", command(left), "--jobs", str(given.jobs), "--json", str(out)]
        subprocess.run([sys.executable, str(given.scorer), *words], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        found = json.loads(out.read_text(encoding="utf-8"))
    return list(found["scenarios"] if isinstance(found, dict) else found)


def figures(rows: Scores) -> tuple[int, int, int, float]:
    """False incidents, incidents, those right, and the mean F1 of their rows."""
    real = [row for row in rows if row["incident"]]
    f1 = sum(row["rows_f1"] or 0.0 for row in real) / max(len(real), 1)
    return sum(row["false"] for row in rows), len(real), sum(bool(row["right"]) for row in real), f1


def loss(rows: Scores) -> tuple[int, int, float]:
    """What is chosen by: the smaller the better."""
    false, _, right, f1 = figures(rows)
    return false, -right, -round(f1, 3)


def dataset(scenario: str) -> str:
    """The log that a scenario was made of: the word behind its number."""
    return scenario.split("_")[1]


def told(rows: Scores) -> str:
    """The figures in words."""
    false, real, right, f1 = figures(rows)
    return f"{right} of {real} right, rows F1 {f1:.2f}, {false} false" if real else f"{false} false"


def table(scores: Mapping[tuple[str, ...], Scores]) -> str:
    """Per dataset what would have been chosen without it, and what it would have been given."""
    lines = ["| dataset | as shipped | chosen without it | does without |", "|---|---|---|---|"]
    shipped = scores[()]
    for name in sorted({dataset(row["scenario"]) for row in shipped}):
        best = min(scores, key=lambda left: loss([r for r in scores[left] if dataset(r["scenario"]) != name]))
        ours, theirs = ([r for r in rows if dataset(r["scenario"]) == name] for rows in (shipped, scores[best]))
        lines.append(f"| {name} | {told(ours)} | {told(theirs)} | {'; '.join(best) or 'nothing'} |")
    lines += ["", "| without | all datasets |", "|---|---|"]
    lines += [f"| {'; '.join(left) or 'nothing'} | {told(rows)} |" for left, rows in scores.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Score every combination of choices, then choose for each dataset by the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", type=Path)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=["*"], help="names of scenarios (globs)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--update", type=Path, help="a document whose table is replaced")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for each in given.scenarios.resolve().iterdir():
            if each.is_dir() and any(fnmatch.fnmatch(each.name, glob) for glob in given.only):
                (Path(folder) / each.name).symlink_to(each)
        scores = {}
        for number in range(len(CHOICES) + 1):
            for left in itertools.combinations(CHOICES, number):
                scores[left] = scored(Path(folder), given, left)
                sys.stderr.write(f"without {'; '.join(left) or 'nothing'}: {told(scores[left])}\n")
    text = table(scores)
    sys.stdout.write(text)
    if given.update:
        document = given.update.read_text(encoding="utf-8")
        before, rest = document.split(BEGIN, 1)
        given.update.write_text(f"{before}{BEGIN}\n{text}{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
