#!/usr/bin/env python3
"""Counts false incidents on quiet history, resampled in blocks and scanned by the real service; see README.md."""

import argparse
import fnmatch
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quiet_replays.blocks import rule_for, slots
from quiet_replays.history import History
from quiet_replays.replay import Outcome
from quiet_replays.report import Result, to_document, to_text
from quiet_replays.run import Failure, Task, history_of, run_tasks

BUNDLED = Path(__file__).resolve().parents[1] / "tests" / "data"
DAYS_MIN = 14
EVALUATIONS_MIN = 30
BLOCKS_MIN = 2
"""A log with fewer quiet days and fewer evaluations in them is left out; so is one with fewer blocks."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    scenarios: Path
    replays: int
    seed: int
    jobs: int
    only: str
    reach: int | None
    json: Path | None


def run(asked: Asked, tell: Tell) -> Result:
    """Scan the quiet parts as they happened, then the replays."""
    folders = sorted(path.parent for path in asked.scenarios.glob("*/truth.json"))
    folders = [folder for folder in folders if fnmatch.fnmatch(folder.name, asked.only)]
    skipped = {folder.name: why for folder in folders if (why := _few_blocks(history_of(folder)))}
    folders = [folder for folder in folders if folder.name not in skipped]
    history, failed = _scan([Task(folder, None, asked.seed, asked.reach) for folder in folders], asked.jobs, tell)
    skipped |= {outcome.scenario: why for outcome in history if (why := _short(outcome))}
    folders = [folder for folder in folders if folder.name not in skipped]
    replays, broken = _scan(list(_dealt(folders, asked)), asked.jobs, tell)
    return Result(
        settings={"replays": asked.replays, "seed": asked.seed, "only": asked.only, "reach": asked.reach},
        logs={folder.name: _cut(history_of(folder)) for folder in folders},
        replays=tuple(replays),
        history=tuple(outcome for outcome in history if outcome.scenario not in skipped),
        skipped=skipped,
        failed=(*failed, *broken),
    )


def _few_blocks(history: History) -> str | None:
    places = slots(history, rule_for(history)) if history.spans else []
    if len(places) >= BLOCKS_MIN:
        return None
    return f"only {history.days} quiet days are whole: too few to draw blocks from"


def _short(outcome: Outcome) -> str | None:
    if outcome.days >= DAYS_MIN or outcome.evaluations >= EVALUATIONS_MIN:
        return None
    return f"only {outcome.days} quiet days with {outcome.evaluations} evaluations"


def _dealt(folders: Sequence[Path], asked: Asked) -> list[Task]:
    """The replays dealt out in turn, so that every log has as many, or one fewer."""
    return [
        Task(folders[place % len(folders)], place // len(folders), asked.seed, asked.reach)
        for place in range(asked.replays if folders else 0)
    ]


def _cut(history: History) -> dict[str, Any]:
    rule = rule_for(history)
    return {
        "dataset": history.dataset,
        "background": history.background,
        "quiet_days": history.days,
        "rows": len(history.at),
        "blocks": rule.text,
        "slots": len(slots(history, rule)),
    }


def _scan(tasks: Sequence[Task], jobs: int, tell: Tell) -> tuple[list[Outcome], list[tuple[str, int | None, str]]]:
    begun = time.monotonic()
    outcomes: dict[Task, Outcome] = {}
    failed = []
    for done, (task, outcome) in enumerate(run_tasks(tasks, jobs), start=1):
        left = (time.monotonic() - begun) / done * (len(tasks) - done)
        name = f"{task.folder.name} " + ("as it happened" if task.number is None else f"#{task.number}")
        if isinstance(outcome, Failure):
            failed.append((task.folder.name, task.number, outcome.error))
            said = f"FAILED: {outcome.error}"
        else:
            outcomes[task] = outcome
            said = f"{outcome.seconds:.1f} s, {len(outcome.incidents)} false"
        tell(f"{done}/{len(tasks)} {name}: {said} (about {left / 60:.0f} min left)")
    return [outcomes[task] for task in tasks if task in outcomes], failed


def parse(words: Sequence[str]) -> Asked:
    """The command line."""
    parser = argparse.ArgumentParser(description="Count false incidents on resampled quiet history.")
    parser.add_argument("scenarios", nargs="?", type=Path, default=BUNDLED, help="folder of scenario folders")
    parser.add_argument("--replays", type=_positive, default=60, help="in all, dealt out over the logs (60)")
    parser.add_argument("--seed", type=int, default=1, help="other seeds draw other blocks (1)")
    parser.add_argument("--jobs", type=_positive, default=1, help="processes (1)")
    parser.add_argument("--only", default="*", metavar="GLOB", help="scenarios whose folder's name fits")
    parser.add_argument("--reach", type=_positive, metavar="N", help="draw from at most N blocks away (from anywhere)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write everything to this file")
    return Asked(**vars(parser.parse_args(words)))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def main(words: Sequence[str]) -> int:
    """Run, report; 1 if a scan broke off, 2 if there was nothing to replay."""
    asked = parse(words)
    result = run(asked, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    sys.stdout.write(to_text(result) + "\n")
    if asked.json is not None:
        asked.json.write_text(json.dumps(to_document(result), indent=1) + "\n", encoding="utf-8")
    if not result.logs:
        return 2
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
