#!/usr/bin/env python3
"""How fast does the server take events? `andon serve` as shipped, its floor and its peers, in one run.

    python benchmarks/ingest.py [--seconds 60] [--rounds 3] [--peers FOLDER] [--folder DIR]

The floor is a server that parses each line and keeps nothing. Exit 1 when a target is missed; see README.md.
"""

import argparse
import json
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ANDON = Path(sys.executable).with_name("andon")
BURST_EVENTS = 60_000
PEER_EVENTS = {"mlflow": 2_000, "attestroot": 4_000}
BATCHES = (100, 1_000)


@dataclass
class Table:
    """Rows of figures, printed as they come, and the targets that were missed."""

    missed: list[str] = field(default_factory=list)
    floors: dict[int, float] = field(default_factory=dict)
    best: float = 0.0

    def say(
        self, name: str, value: float, unit: str = "", least: float | None = None, most: float | None = None
    ) -> None:
        """Print a figure, with its target if it has one."""
        is_met = (least is None or value >= least) and (most is None or value <= most)
        target = f"≥ {least:g}" if least is not None else f"≤ {most:g}" if most is not None else ""
        mark = "" if not target else "met" if is_met else "MISSED"
        print(f"{name:58} {value:14,.3f} {unit:10} {target:10} {mark}", flush=True)
        if not is_met:
            self.missed.append(name)


@contextmanager
def process(*command: object) -> Iterator["subprocess.Popen[str]"]:
    """A server that is ended at the end."""
    made = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)  # noqa: S603
    with made:
        try:
            yield made
        finally:
            made.terminate()


@contextmanager
def andon(data: Path) -> Iterator[tuple[str, str, int, float]]:
    """Andon, as its users start it: URL, token, process, seconds until it was ready."""
    port, begun = free_port(), time.perf_counter()
    with process(ANDON, "serve", "--data", data, "--listen", f"127.0.0.1:{port}") as server:
        answers(f"http://127.0.0.1:{port}/healthz")
        ready = time.perf_counter() - begun
        said = []
        for line in server.stdout or ():
            said.append(line)
            if "Ctrl-C ends it" in line:
                break
        found = re.search(r"andon_[A-Za-z0-9_-]{43}", "".join(said))
        token = found[0] if found else ""
        yield f"http://127.0.0.1:{port}", token, server.pid, ready


@contextmanager
def floor() -> Iterator[str]:
    """The floor, run by the same server software with the same settings."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "ingest_speed.parse_only:app", "--port", port, "--log-level", "error"]
    with process(*command, "--no-access-log", "--app-dir", HERE):
        answers(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"


def load(url: str, token: str, batch: int, events: int, seconds: float | None = None) -> dict[str, Any]:
    """Send, from a process of its own."""
    words = [url, token or "none", "--batch", batch, "--events", events, *(["--seconds", seconds] if seconds else [])]
    command = [sys.executable, HERE / "ingest_speed" / "load.py", *words]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        sys.exit(f"answers other than 200: {found['statuses']}")
    return found


def burst(table: Table, folder: Path, rounds: int) -> None:
    """Rounds of floor and Andon in turn, each Andon in an empty folder; the best of each counts."""
    for batch in BATCHES:
        floors, ours, waits = [], [], []
        for number in range(rounds):
            with floor() as url:
                load(url, "", batch, BURST_EVENTS // 3)  # warm
                floors.append(load(url, "", batch, BURST_EVENTS)["rate"])
            with andon(folder / f"burst-{batch}-{number}") as (url, token, _, _):
                load(url, token, batch, BURST_EVENTS // 3)
                told = load(url, token, batch, BURST_EVENTS)
                ours.append(told["rate"])
                waits.append(told["p99_ms"])
        table.say(f"floor: parse only, batches of {batch}", max(floors), "events/s")
        table.say(f"burst, each on the disk, batches of {batch}", max(ours), "events/s")
        table.say("  p99 of an answer", min(waits), "ms")
        table.say("  / floor (stretch 0.35)", max(ours) / max(floors), "", least=0.30)
        table.floors[batch] = max(floors)
        table.best = max(table.best, *ours)


def sustained(table: Table, folder: Path, seconds: float) -> None:
    """A minute of load with segments closing, and the memory of all processes meanwhile."""
    with andon(folder / "sustained") as (url, token, pid, ready):
        table.say("ready, from an empty folder", ready, "s", most=3)
        time.sleep(1)
        table.say("idle, all processes", resident_mb(pid), "MB", most=250)
        memory: list[float] = []
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(seconds / 20):
                memory.append(resident_mb(pid))

        watcher = threading.Thread(target=look)
        watcher.start()
        told = load(url, token, 1_000, BURST_EVENTS, seconds)
        ended.set()
        watcher.join()
    table.say(f"sustained {seconds:.0f} s, batches of 1000 ({told['events']:,} events)", told["rate"], "events/s")
    table.say("  / floor", told["rate"] / table.floors[1_000], "", least=0.20)
    middle = memory[len(memory) // 4 : len(memory) // 2] or memory
    late = memory[-len(memory) // 4 :] or memory
    table.say("  memory at the end", sum(late) / len(late), "MB")
    table.say(
        "  memory, last quarter / second quarter", sum(late) / len(late) / (sum(middle) / len(middle)), "", most=1.1
    )


def peers(table: Table, folder: Path, environments: Path) -> None:
    """The same events through others."""
    sys.path.insert(0, str(HERE))
    from ledger import events  # noqa: PLC0415  # beside this file

    for name, least in (("mlflow", 50), ("attestroot", 20)):
        python = environments / name / "bin" / "python"
        if not python.exists():
            print(f"peer {name}: no environment in {environments}, not measured")
            continue
        work = folder / name
        work.mkdir()
        (work / "events.jsonl").write_bytes(b"\n".join(events(PEER_EVENTS[name], 1)) + b"\n")
        words = [python, HERE / "ingest_speed" / f"{name}_peer.py", work / "events.jsonl", work, free_port()]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            print(f"peer {name} failed: {done.stderr[-300:]}")
            continue
        rate = float(done.stdout.split()[-1])
        table.say(f"peer {name}", rate, "events/s")
        table.say("  Andon's burst / the peer", table.best / rate, "", least=least)


def resident_mb(pid: int) -> float:
    """Memory of a process and all that it started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
    family, size = {pid}, 0
    while size != len(family):
        size = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    pages = 0
    for each in family:
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * resource.getpagesize() / 1e6


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> None:
    """Wait until a server answers."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"{url} does not answer")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of the sustained load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, help="a folder with an environment for each peer")
    parser.add_argument("--folder", help="where to write: the disk that is measured")
    asked = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        burst(table, Path(name), asked.rounds)
        sustained(table, Path(name), asked.seconds)
        if asked.peers is not None:
            peers(table, Path(name), asked.peers)
    sys.exit(1 if table.missed else 0)


if __name__ == "__main__":
    main()
