#!/usr/bin/env python3
"""How clean is what a tool finds? Andon, Evidently, NannyML and plain practice before the same scorer; see README.md.

SCENARIOS holds scenario folders (log.parquet, reference.parquet, model.yaml, truth.json); the scorer comes with them.

Example: python benchmarks/quality.py SCENARIOS --scorer score.py --peers peers --update docs/comparison.md
"""

import argparse
import fnmatch
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peer_environments import PEERS, SILENT, interpreter
from pyarrow.parquet import read_metadata
from quality_peers.readings import READINGS
from quality_peers.report import BEGIN, replaced, table

HERE = Path(__file__).resolve().parent
ANDON = "andon"
CONTESTANTS = (ANDON, *READINGS)


@dataclass(frozen=True)
class Bench:
    """Where everything is.

    Attributes:
        scorer: the program that scores `COMMAND scan LOG …` on a folder of scenarios.
        peers: the environments of the peers; they are built if they are not there.
        work: keeps each contestant's scores and each tool's alerts.
        timeout: seconds for a scan.
        rows: how many rows the peers' windows have to hold; None: as each needs.
    """

    scorer: Path
    peers: Path
    work: Path
    timeout: int
    rows: int | None

    def command(self, contestant: str) -> str:
        """What stands in the place of `andon`."""
        if contestant == ANDON:
            return shlex.quote(str(Path(sys.executable).with_name(ANDON)))
        tool = READINGS[contestant].tool
        python = str(interpreter(self.peers, tool) if tool in PEERS else sys.executable)
        more = ["--rows", str(self.rows)] if self.rows else []
        one, kept = str(HERE / "quality_peers" / "one.py"), str(self.work / "alerts")
        return shlex.join([*SILENT, python, one, contestant, "--keep", kept, *more])

    def score(self, contestant: str, scenarios: Path) -> dict[str, Any]:
        """Scan all scenarios as one contestant, one after the other, and score them."""
        kept = self.work / f"{contestant}.json"
        words = [str(self.scorer), str(scenarios), "--andon", self.command(contestant), "--jobs", "1"]
        words += ["--timeout", str(self.timeout), "--json", str(kept)]
        subprocess.run([sys.executable, *words], check=True, stdout=sys.stderr)  # noqa: S603
        return dict(json.loads(kept.read_text(encoding="utf-8")))

    def kept(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The scores of this run and of runs before."""
        for contestant in CONTESTANTS:
            path = self.work / f"{contestant}.json"
            if path.exists():
                yield contestant, json.loads(path.read_text(encoding="utf-8"))

    def facts(self, folders: list[Path]) -> str:
        """How much was scanned, by what, where."""
        ask = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
        words = {peer: [str(interpreter(self.peers, peer)), "-c", ask, peer] for peer in PEERS}
        said = {peer: subprocess.run(w, capture_output=True, text=True, check=True).stdout for peer, w in words.items()}  # noqa: S603
        numbers = {ANDON: version(ANDON), **said, "Python": platform.python_version()}
        rows = sum(read_metadata(folder / "log.parquet").num_rows for folder in folders)
        named = ", ".join(f"{name} {number.strip()}" for name, number in numbers.items())
        return f"{rows:,} decisions; {named}; {os.cpu_count()} cores."


def chosen(scenarios: Path, globs: list[str]) -> list[Path]:
    """The scenario folders whose names fit any of the patterns."""
    folders = sorted(path.parent for path in scenarios.glob("*/truth.json"))
    return [folder.resolve() for folder in folders if any(fnmatch.fnmatch(folder.name, glob) for glob in globs)]


def main() -> int:
    """Run those asked for, print the tables of all kept scores; 1 if a scan broke off or its output is malformed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", type=Path)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--peers", type=Path, required=True, help="a folder for the environments of the peers")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB", help="names of scenarios")
    parser.add_argument("--run", nargs="*", default=CONTESTANTS, choices=CONTESTANTS, help="others keep their scores")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "andon-quality")
    parser.add_argument("--timeout", type=int, default=900)
    parser.add_argument("--rows", type=int, help="that the peers' windows have to hold; else as each needs")
    parser.add_argument("--update", type=Path, metavar="DOCUMENT", help="put the tables between its markers")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(asked.scorer, asked.peers.absolute(), asked.work.absolute(), asked.timeout, asked.rows)
    folders = chosen(asked.scenarios, asked.only)
    if wrong := _wrong(asked, folders):
        sys.stderr.write(f"{wrong}\n")
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        for folder in folders:
            (Path(scratch) / folder.name).symlink_to(folder, target_is_directory=True)
        for contestant in asked.run:
            sys.stderr.write(f"{contestant}:\n")
            bench.score(contestant, Path(scratch))
    names = {folder.name for folder in folders}
    scores = {c: s for c, s in bench.kept() if {row["scenario"] for row in s["scenarios"]} == names}
    if not scores:
        sys.stderr.write(f"there are no scores of these scenarios in {asked.work}: name contestants with --run\n")
        return 2
    text = table(scores, bench.facts(folders))
    sys.stdout.write(text)
    if asked.update:
        asked.update.write_text(replaced(asked.update.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 1 if any(score["totals"][what] for score in scores.values() for what in ("errors", "contract_wrong")) else 0


def _wrong(asked: argparse.Namespace, folders: list[Path]) -> str:
    """What of the command line cannot work, before hours are spent on it; empty if all is well."""
    if not folders:
        return f"there is no scenario (a folder with truth.json) like {asked.only} in {asked.scenarios}"
    if not asked.scorer.is_file():
        return f"there is no scorer {asked.scorer}: name the program that comes with the scenarios"
    if asked.update and not (asked.update.is_file() and BEGIN in asked.update.read_text(encoding="utf-8")):
        return f"{asked.update} is no document with the line {BEGIN}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
