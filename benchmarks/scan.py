#!/usr/bin/env python3
"""How fast is a scan? Andon, its floors and its peers over the same made-up log, in one run.

    python benchmarks/scan.py --generator GEN.py --peers FOLDER [--rows 1e6 1e7] [--work FOLDER] [--out TABLE.md]

`GEN.py ROWS OUT.parquet [--reference]` writes a log; `FOLDER` holds an environment per peer, built if it is not there.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peer_environments import PEERS, SILENT, interpreter
from scan_speed.one import WHAT
from scan_speed.report import missed, table

HERE = Path(__file__).parent
PEER_ROWS_MAX = 1_000_000
"""Peers hold all rows in memory: at ten million they take hours or end without memory."""
COMPARED, ROUNDS = ("duckdb", "andon log"), 5
"""Those that take seconds and are compared with each other run in turn: the machine's speed changes between minutes."""
MODEL = """\
model_id: made-up
id_column: prediction_id
time_column: ts
version_column: model_version
score_column: score
prediction_column: prediction
label_column: label
label_delay_days_median: 0
features: [f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, c0, c1, c2, c3, c4, c5]
segments: [region]
protected_attributes: [sex, age_band]
threshold: 0.5
"""


@dataclass(frozen=True)
class Bench:
    """Where everything is.

    Attributes:
        generator: the program that makes logs; None: they are in `work` already.
        peers: a folder of environments by the peers' names.
        work: logs are kept here.
    """

    generator: Path | None
    peers: Path | None
    work: Path

    def made(self, rows: int, *, reference: bool = False) -> str:
        """A log of so many rows, made if it is not there."""
        path = self.work / f"{'reference' if reference else 'log'}_{rows}.parquet"
        if not path.exists():
            if self.generator is None:
                sys.exit(f"there is no {path}: name the program that makes it with --generator")
            more = ["--reference"] if reference else []
            subprocess.run([sys.executable, str(self.generator), str(rows), str(path), *more], check=True)  # noqa: S603
        return str(path)

    def run(self, contestant: str, reference: str, log: str) -> dict[str, object]:
        """One contestant in a process of its own."""
        python = sys.executable
        if contestant in PEERS:
            if self.peers is None:
                return {"contestant": contestant, "failed": "no --peers"}
            python = str(interpreter(self.peers, contestant))
        model = self.work / "model.yaml"
        model.write_text(MODEL)
        words = [*SILENT, python, str(HERE / "scan_speed" / "one.py"), contestant, reference, log, str(model)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            return {"contestant": contestant, "failed": done.stderr.strip().splitlines()[-1:]}
        return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Run all, print the table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generator", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--rows", nargs="+", default=["1e6", "1e7"])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "andon-benchmark")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    asked.work.mkdir(exist_ok=True, parents=True)
    bench = Bench(asked.generator, asked.peers, asked.work)
    reference = bench.made(PEER_ROWS_MAX, reference=True)
    results = {}
    for rows in sorted(int(float(text)) for text in asked.rows):
        log = bench.made(rows)
        for contestant in WHAT:
            if contestant in COMPARED or (contestant in PEERS and rows > PEER_ROWS_MAX):
                continue
            results[rows, contestant] = bench.run(contestant, reference, log)
            sys.stderr.write(f"{rows:,} rows, {contestant}: {_said(results[rows, contestant])}\n")
        rounds = [[bench.run(contestant, reference, log) for contestant in COMPARED] for _ in range(ROUNDS)]
        for contestant, each in zip(COMPARED, zip(*rounds, strict=True), strict=True):
            results[rows, contestant] = _median(each)
            sys.stderr.write(f"{rows:,} rows, {contestant}: {_said(results[rows, contestant])}, median of {ROUNDS}\n")
    text = table(results)
    sys.stdout.write(text)
    if asked.out is not None:
        asked.out.write_text(text)
    return 1 if missed(results) else 0


def _median(each: Sequence[dict[str, object]]) -> dict[str, object]:
    """The run of which the seconds are the median; one that failed, if any did."""
    failed = [result for result in each if "failed" in result]
    return failed[0] if failed else sorted(each, key=lambda result: float(str(result["seconds"])))[len(each) // 2]


def _said(result: dict[str, object]) -> str:
    return str(result["failed"]) if "failed" in result else f"{float(str(result['seconds'])):.1f} s"


if __name__ == "__main__":
    sys.exit(main())
