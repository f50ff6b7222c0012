"""A document shows a benchmark with options that it has; to run one takes data from elsewhere, or hours."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "benchmarks" / "README.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)
TRIALS = "benchmarks/trials.py"  # runs in an environment of its own, and nothing of it is here
COMPARISON = ROOT / "docs" / "comparison.md"


def shown() -> list[tuple[str, str]]:
    """Script and words of every `python benchmarks/….py` in a plain block."""
    found = []
    for document in DOCUMENTS:
        for block in BLOCK.findall(document.read_text(encoding="utf-8")):
            for line in block.splitlines():
                words = re.fullmatch(r"\S*python3? (benchmarks/\w+\.py)(.*)", line)
                if words and words[1] != TRIALS:
                    found.append((words[1], words[2]))
    return found


@pytest.mark.parametrize(("script", "words"), shown())
def test_shown_benchmark_takes_its_options(script: str, words: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    usage = re.split(r"[\s,\[\]]+", done.stdout)
    assert {word for word in shlex.split(words.replace("[", " ").replace("]", " ")) if word[:2] == "--"} <= {*usage}


def test_benchmarks_that_are_shown_are_found() -> None:
    assert {"benchmarks/quality.py", "benchmarks/scan.py", "benchmarks/quiet.py"} <= {script for script, _ in shown()}


def test_the_comparison_holds_the_tables_of_a_whole_run() -> None:
    sys.path.append(str(ROOT / "benchmarks"))
    from quality_peers.readings import READINGS  # noqa: PLC0415
    from quality_peers.report import BEGIN, END, HEADS  # noqa: PLC0415

    _, _, rest = COMPARISON.read_text(encoding="utf-8").partition(BEGIN)
    tables, end, _ = rest.partition(END)
    assert end
    assert f"| {' | '.join(HEADS)} |" in tables
    rows = set(re.findall(r"^\| (?:\*\*)?([a-z-]+)(?:\*\*)? \|", tables, re.MULTILINE))
    assert {"andon", *READINGS} <= rows
