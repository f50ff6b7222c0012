#!/usr/bin/env python3
"""Makes decision logs with known failures from public tables, in the format of the open scenarios; see README.md.

Example: python benchmarks/trials.py /tmp/trials --seed 1
"""

import argparse
import hashlib
import sys
import warnings
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from trial_logs.build import Built, build
from trial_logs.controls import CONTROLS
from trial_logs.drawn import drawn, names
from trial_logs.incidents import INCIDENTS
from trial_logs.trial import Trial
from trial_logs.writing import write

TRIALS = INCIDENTS + CONTROLS


def half(trial: Trial) -> str:
    """Which half a trial belongs to: chosen by its name alone, before anybody looked at a result.

    By the first byte of the hash; it put three of four controls in one half, so the second byte moves some over.
    """
    digest = hashlib.sha256(trial.name.encode()).digest()
    return "dev" if digest[0] % 2 or (trial.control and digest[1] % 3 == 0) else "hidden"


def main(argv: Sequence[str] | None = None) -> int:
    """Build what was asked for; exit 1 if a trial could not be built."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for dev/, hidden/ and drawn/")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="*", help="names, as a glob")
    parser.add_argument("--half", choices=("dev", "hidden", "both", "drawn"), default="both")
    asked = parser.parse_args(argv)
    if asked.half == "drawn":
        tasks = [(name, "drawn", partial(drawn, name, asked.seed)) for name in names()]
    else:
        tasks = [(t.name, half(t), partial(build, t, asked.seed)) for t in TRIALS if asked.half in {"both", half(t)}]
    chosen = [task for task in tasks if fnmatch(task[0], asked.only)]
    return max((_one(task, asked.out, asked.seed) for task in chosen), default=0)


def _one(task: tuple[str, str, Callable[[], Built]], out: Path, seed: int) -> int:
    name, folder, make = task
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            built = make()
    except ValueError as error:
        sys.stderr.write(f"FAILED {error}\n")
        return 1
    write(built, out / folder / name, seed)
    sys.stderr.write(f"{folder:6} {name}: {len(built.log)} rows\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
