#!/usr/bin/env python3
"""How fast is incident command? `andon serve` as shipped, with the token check, against the disk's own speed.

    python benchmarks/incidents.py [--rate 200] [--seconds 30] [--alerts 10000] [--rows 10000000] [--only PART]
                                   [--rounds 200] [--json FILE] [--folder DIR]

Four parts, each in an empty folder: accept (signals at a fixed rate), open (signal to incident), read (an incident with
many alerts against one without), busy (a command while a large log is scanned). Exit 1 when a target is missed; see
README.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from incident_speed.big_log import write as write_log
from incident_speed.load import START, webhook
from ingest import ANDON, HERE, andon, floor

from andon_sdk.transport import Transport

PARTS: Final = ("accept", "open", "read", "busy")
PROBES: Final = 300
PROBE_BYTES: Final = 4096
PAUSE_SECONDS: Final = 0.05
POLL_SECONDS: Final = 0.02
WAIT_SECONDS: Final = 300.0
DECLARED: Final = {"incident_type": "model_drift", "title": "Declared by hand", "priority": "P2"}
JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Figure:
    """A line of the table; `target` is the most it may be, None: it has none."""

    part: str
    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met, if it has one."""
        return None if self.target is None else self.value <= self.target


@dataclass
class Table:
    """Figures, printed as they come."""

    figures: list[Figure] = field(default_factory=list)

    def say(self, part: str, name: str, value: float, unit: str = "", most: float | None = None) -> None:
        """Print a figure, with its target if it has one."""
        figure = Figure(part, name, value, unit, most)
        self.figures.append(figure)
        target = "" if most is None else f"<= {most:,.2f}"
        mark = {None: "", True: "met", False: "MISSED"}[figure.is_met]
        print(f"{part:7} {name:58} {value:12,.2f} {unit:4} {target:12} {mark}".rstrip(), flush=True)

    def document(self, asked: argparse.Namespace) -> dict[str, Any]:
        """All of it, with what was asked for."""
        sizes = {name: getattr(asked, name) for name in ("rate", "seconds", "alerts", "rows", "rounds")}
        figures = [{**asdict(each), "met": each.is_met} for each in self.figures]
        load = os.getloadavg()[0]
        return {"schema": "andon.benchmark.incidents/1", "sizes": sizes, "load_average": load, "figures": figures}


@dataclass(frozen=True)
class Asker:
    """A client with one connection that is kept."""

    transport: Transport

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The document that is answered."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.transport.ask(method, path, content, JSON)
        if answer.status >= 400:  # noqa: PLR2004
            sys.exit(f"{method} {path}: {answer.status} {answer.document}")
        return answer.document

    def seconds(self, method: str, path: str, body: Any = None) -> float:
        """How long it takes."""
        begun = time.perf_counter()
        self.ask(method, path, body)
        return time.perf_counter() - begun


@contextmanager
def served(data: Path) -> Iterator[tuple[str, str, Asker]]:
    """URL, token, client of a server of its own."""
    with andon(data) as (url, token, _, _):
        transport = Transport(url, token)
        yield url, token, Asker(transport)
        transport.close()


def accept(table: Table, folder: Path, asked: argparse.Namespace) -> None:
    """Signals at a fixed rate, one alert each; meanwhile one of another model each second, until it is an incident."""
    probes = sync_probe(folder)
    with floor() as url, load(url, "none", asked.rate, min(asked.seconds, 10.0)) as loading:
        bare = answered(loading, "200")
    with served(folder / "accept") as (url, token, asker):
        opened = [until_opened(asker, f"warm-{number}") for number in range(3)]
        with load(url, token, asked.rate, asked.seconds) as loading:
            while loading.poll() is None:
                opened.append(until_opened(asker, f"beside-{len(opened)}"))
                time.sleep(1)
            told = answered(loading, "202")
        wanted = told["requests"] + len(opened)
        behind = wait_for(lambda: alerts_in_incidents(asker) == wanted, "every accepted alert is in its incident")
    probes += sync_probe(folder)
    limit = 3 * quantile(probes, 0.99) * 1000 + 15
    table.say("accept", "fdatasync of 4 KiB on this disk, p50", quantile(probes, 0.5) * 1000, "ms")
    table.say("accept", "fdatasync of 4 KiB on this disk, p99", quantile(probes, 0.99) * 1000, "ms")
    table.say("accept", "the same load on a server that keeps nothing, p99", bare["p99_ms"], "ms")
    table.say("accept", f"asked: {asked.rate:g} requests/s for {asked.seconds:g} s; reached", told["rate"], "/s")
    table.say("accept", "accepted and durable, p50", told["p50_ms"], "ms")
    table.say("accept", "accepted and durable, p99 (3 fdatasync p99 + 15 ms)", told["p99_ms"], "ms", most=limit)
    table.say("accept", "accepted and durable, most", told["most_ms"], "ms")
    table.say("accept", "the sender itself late, p99 (counts as the server's)", told["sent_late_p99_ms"], "ms")
    table.say("accept", "signal to incident under this load, most", max(opened), "s", most=1)
    table.say("accept", "every alert in its incident, after the last answer", behind, "s")


def load(url: str, token: str, rate: float, seconds: float) -> "subprocess.Popen[str]":
    """The sender, a process of its own."""
    words = [sys.executable, HERE / "incident_speed" / "load.py", url, token, "--rate", rate, "--seconds", seconds]
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True)  # noqa: S603


def answered(loading: "subprocess.Popen[str]", status: str) -> dict[str, Any]:
    """What came of a load, each request of which has to be answered so."""
    told: dict[str, Any] = json.loads(loading.communicate()[0])
    if set(told["statuses"]) != {status}:
        sys.exit(f"answers other than {status}: {told['statuses']}")
    return told


def opening(table: Table, folder: Path, asked: argparse.Namespace) -> None:
    """From sending a signal to the incident in the list, on a server without other work."""
    del asked
    with served(folder / "open") as (_, _, asker):
        seconds = [until_opened(asker, f"model-{number}") for number in range(20)]
    table.say("open", "signal to incident, idle, p50 of 20", quantile(seconds, 0.5), "s")
    table.say("open", "signal to incident, idle, most of 20", max(seconds), "s", most=1)


def read(table: Table, folder: Path, asked: argparse.Namespace) -> None:
    """An incident with many alerts and one without, read in turn."""
    with served(folder / "read") as (_, _, asker):
        empty = asker.ask("POST", "/api/v1/incidents", {**DECLARED, "model_id": "quiet"})["id"]
        begun = time.perf_counter()
        for first in range(0, asked.alerts, 1_000):
            body = many(range(first, min(first + 1_000, asked.alerts)))
            asker.ask("POST", "/api/v1/signals/alertmanager", body)
        wait_for(lambda: alerts_in_incidents(asker) == asked.alerts, "every alert is in the incident")
        grouped = time.perf_counter() - begun
        listed = asker.ask("GET", "/api/v1/incidents?model=loud")["items"]
        time.sleep(2)  # what follows the last command is over
        paths = {"empty": f"/api/v1/incidents/{empty}", "full": f"/api/v1/incidents/{listed[0]['id']}"}
        times: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(asked.rounds):
            for name, path in paths.items():
                times[name].append(asker.seconds("GET", path))
    table.say("read", f"{asked.alerts:,} alerts sent until all are in one incident", grouped, "s")
    if len(listed) != 1:
        sys.exit(f"{len(listed)} incidents of one key")
    for name, text in (("empty", "an incident without alerts"), ("full", f"one with {asked.alerts:,}")):
        table.say("read", f"{text}, p50", quantile(times[name], 0.5) * 1000, "ms")
        table.say("read", f"{text}, p99", quantile(times[name], 0.99) * 1000, "ms")
    table.say("read", "full / empty, p50", quantile(times["full"], 0.5) / quantile(times["empty"], 0.5), "", most=3)


def busy(table: Table, folder: Path, asked: argparse.Namespace) -> None:
    """A note written into an incident every 50 ms: before, during and after a large log is scanned and sent."""
    place = folder / "big"
    place.mkdir()
    write_log(asked.rows, place)
    with served(folder / "busy") as (url, token, asker):
        incident = asker.ask("POST", "/api/v1/incidents", {**DECLARED, "model_id": "quiet"})["id"]
        count = max(20, asked.rounds // 2)
        idle = [write_note(asker, incident) for _ in range(count)]
        command = [ANDON, "scan", place / "log.parquet", "--model", place / "model.yaml", "--quiet", "--send"]
        words = ["--reference", place / "reference.parquet"]
        environment = {"PATH": "/usr/bin:/bin", "ANDON_SERVER": url, "ANDON_TOKEN": token}
        begun = time.perf_counter()
        scanning = subprocess.Popen(list(map(str, command + words)), env=environment, stderr=subprocess.DEVNULL)  # noqa: S603
        during = []
        while scanning.poll() is None:
            during.append(write_note(asker, incident))
        seconds = time.perf_counter() - begun
        if scanning.returncode != 1:
            sys.exit(f"the scan ended with {scanning.returncode}: it should have found the planted failure")
        idle += [write_note(asker, incident) for _ in range(count)]
    table.say("busy", f"the scan of {asked.rows:,} rows, found and sent", seconds, "s")
    table.say("busy", f"a command without other work, p50 of {len(idle)}", quantile(idle, 0.5) * 1000, "ms")
    table.say("busy", "a command without other work, p99", quantile(idle, 0.99) * 1000, "ms")
    table.say("busy", f"a command during the scan, p50 of {len(during)}", quantile(during, 0.5) * 1000, "ms")
    table.say("busy", "a command during the scan, p99", quantile(during, 0.99) * 1000, "ms")
    table.say("busy", "during / without, p50", quantile(during, 0.5) / quantile(idle, 0.5), "", most=2)
    table.say("busy", "during / without, p99", quantile(during, 0.99) / quantile(idle, 0.99), "")


def write_note(asker: Asker, incident: str) -> float:
    """Seconds of a command, durable when it is answered; then a pause."""
    seconds = asker.seconds("POST", f"/api/v1/incidents/{incident}/notes", {"text": "Looked at the dashboards"})
    time.sleep(PAUSE_SECONDS)
    return seconds


def until_opened(asker: Asker, model: str) -> float:
    """Seconds from sending an alert of a new model to its incident in the list."""
    labels = {"alertname": "Drift", "model_id": model, "incident_type": "model_drift"}
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": START, "fingerprint": model}
    begun = time.perf_counter()
    asker.ask("POST", "/api/v1/signals/alertmanager", {"version": "4", "groupKey": model, "alerts": [alert]})
    wait_for(lambda: asker.ask("GET", f"/api/v1/incidents?model={model}")["items"], "the alert has its incident")
    return time.perf_counter() - begun


def many(numbers: range) -> bytes:
    """A webhook of many alerts of one model."""
    alerts = [json.loads(webhook(number, 1))["alerts"][0] for number in numbers]
    for alert in alerts:
        alert["labels"]["model_id"] = "loud"
    return json.dumps({"version": "4", "groupKey": "loud", "alerts": alerts}).encode()


def alerts_in_incidents(asker: Asker) -> int:
    """How many alerts the incidents have together."""
    return sum(each["alerts"] for each in asker.ask("GET", "/api/v1/incidents?limit=1000")["items"])


def wait_for(holds: Callable[[], object], what: str) -> float:
    """Seconds until something holds."""
    begun = time.perf_counter()
    while not holds():
        if time.perf_counter() - begun > WAIT_SECONDS:
            sys.exit(f"it does not come that {what}")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - begun


def sync_probe(folder: Path) -> list[float]:
    """Seconds of writing 4 KiB and fdatasync, again and again, at the end of a file."""
    data, found = os.urandom(PROBE_BYTES), []
    with (folder / "probe").open("ab", buffering=0) as file:
        for _ in range(PROBES):
            begun = time.perf_counter()
            file.write(data)
            os.fdatasync(file.fileno())
            found.append(time.perf_counter() - begun)
    return found


def quantile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=30, help="of the load")
    parser.add_argument("--alerts", type=int, default=10_000, help="of the incident that is read")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the log that is scanned")
    parser.add_argument("--rounds", type=int, default=200, help="readings, and twice the half of them commands")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--json", help="write the figures to this file too; - for standard output")
    parser.add_argument("--folder", help="where to write: the disk that is measured")
    asked = parser.parse_args()
    table, parts = Table(), dict(zip(PARTS, (accept, opening, read, busy), strict=True))
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        for part in asked.only or PARTS:
            parts[part](table, Path(name), asked)
    if asked.json is not None:
        text = json.dumps(table.document(asked), indent=2) + "\n"
        sys.stdout.write(text) if asked.json == "-" else Path(asked.json).write_text(text, encoding="utf-8")
    sys.exit(1 if any(each.is_met is False for each in table.figures) else 0)


if __name__ == "__main__":
    main()
