#!/usr/bin/env python3
"""Measures the ledger as ratios to what this machine can do in the same run; see README.md."""

import argparse
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import orjson

from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.verify import verify_folder
from andon.bootstrap.chance import many_random_bytes
from andon.bootstrap.ledger import open_ledger
from andon.bootstrap.logs import WRITER, open_log
from andon.bootstrap.verification import bundle_verifier
from andon.ledger.merkle import inclusion_proof
from andon.services.audit import Case
from andon.services.record import BATCH_EVENTS, Record

WORDS = [f"{head}{tail}" for head in ("ba", "co", "di", "fu", "ge", "lo", "mi", "ne") for tail in ("ran", "lus", "tek")]
CASE = Case("loan", None, None, "benchmark", {})
ROUNDS, SUSTAINED_ROUNDS = 5, 3


def events(count: int, seed: int) -> list[bytes]:
    """Inference events of about 1 KB: 18 numbers, 6 categories, 55 words of text."""
    dice = random.Random(seed)
    lines = []
    for i in range(count):
        inputs: dict[str, Any] = {f"feature_{n:02d}": round(dice.gauss(0, 100), 3) for n in range(18)}
        inputs |= {f"category_{n}": dice.choice(WORDS) for n in range(6)}
        inputs["text"] = " ".join(dice.choices(WORDS, k=55))
        second = f"2026-03-01T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}.000000Z"
        event = {"id": f"p{seed:03d}{i:09d}", "ts": second, "model_id": "loan", "model_version": "3.1.4"}
        event |= {"subject": f"s{dice.randrange(10**8):08d}", "inputs": inputs, "prediction": dice.randrange(2)}
        lines.append(
            json.dumps({**event, "score": round(dice.random(), 6), "latency_ms": dice.randrange(300)}).encode()
        )
    return lines


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process and of those that it started and that ended."""

    def used() -> float:
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(each.ru_utime + each.ru_stime for each in map(resource.getrusage, kinds))

    begun = used()
    work()
    return used() - begun


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def parse_only(lines: list[bytes]) -> None:
    for line in lines:
        orjson.loads(line)


def sync_probe(folder: Path, size: int, count: int = 60) -> list[float]:
    """Seconds of write + fdatasync of one block at the end of a file."""
    data = os.urandom(size)
    with (folder / "probe").open("wb", buffering=0) as file:
        return [seconds(lambda: (file.write(data), os.fdatasync(file.fileno()))) for _ in range(count)]


def opened(data: Path) -> SegmentLog:
    """The log of a data folder, as the server and `andon record` open it."""
    return open_log(data / "ledger", WRITER)


def peers(folder: Path, lines: list[bytes]) -> dict[str, float]:
    """Events a second of others on the same disk, durable a batch at a time; none of them proves anything."""
    batches = [lines[at : at + BATCH_EVENTS] for at in range(0, len(lines), BATCH_EVENTS)]

    def plain() -> None:
        with (folder / "plain").open("wb", buffering=0) as file:
            for batch in batches:
                file.write(b"\n".join(batch))
                os.fdatasync(file.fileno())

    def sqlite() -> None:
        base = sqlite3.connect(folder / "sqlite.db", isolation_level=None)
        base.execute("pragma journal_mode=wal")
        base.execute("pragma synchronous=full")
        base.execute("create table log(entry blob)")
        for batch in batches:
            base.execute("begin immediate")
            base.executemany("insert into log values (?)", [(line,) for line in batch])
            base.execute("commit")
        base.close()

    def duck() -> None:
        base = duckdb.connect(str(folder / "duck.db"))
        base.execute("create table log(entry varchar)")
        for batch in batches:
            base.execute("insert into log select unnest(?)", [[line.decode() for line in batch]])
        base.close()

    return {
        name: len(lines) / seconds(work) for name, work in (("plain_file", plain), ("sqlite", sqlite), ("duckdb", duck))
    }


def append(data: Path, lines: list[bytes], batch: int) -> tuple[float, float]:
    """Seconds an event, from the bytes of a batch to the fsync: by the clock, and by processor time."""
    with opened(data) as log:
        record = Record(log, lambda: datetime.now(UTC), many_random_bytes)
        batches = [lines[at : at + batch] for at in range(0, len(lines), batch)]
        used = []

        def work() -> None:
            used.append(cpu_seconds(lambda: [log.append(record.entries(each)) for each in batches]))

        return seconds(work) / len(lines), used[0] / len(lines)


def parsing(lines: list[bytes]) -> tuple[float, float]:
    """The floor: seconds an event of a loop that only parses, by the clock and by processor time."""
    used = []
    passed = seconds(lambda: used.append(cpu_seconds(lambda: parse_only(lines))))
    return passed / len(lines), used[0] / len(lines)


def bursts(work: Path, lines: list[bytes], batch: int) -> Iterator[tuple[str, float, str]]:
    """Floor and append in turn; medians of the rounds and of their ratios."""
    pairs = [(parsing(lines), append(work / f"append{batch}-{n}", lines, batch)) for n in range(ROUNDS)]
    yield f"durable append, batches of {batch}", 1 / median(ours[0] for _, ours in pairs), "events/s"
    yield f"  / parse only, batches of {batch} (target 0.30)", median(a[0] / b[0] for a, b in pairs), ""
    yield "  the same by processor time", median(a[1] / b[1] for a, b in pairs), ""


def sustained(data: Path, lines: list[bytes], length: float, least: int) -> tuple[float, int, list[int]]:
    """Events a second with segments closing, how many events, and the memory (KiB) at each tenth.

    It goes on for so many seconds, and until there are so many events.
    """
    memory, count, begun = [], 0, time.perf_counter()
    with opened(data) as log:
        record = Record(log, lambda: datetime.now(UTC), many_random_bytes)
        while (passed := time.perf_counter() - begun) < length or count < least:
            at = count % (len(lines) - BATCH_EVENTS)
            log.append(record.entries(lines[at : at + BATCH_EVENTS]))
            count += BATCH_EVENTS
            if max(passed / length, 0) >= len(memory) / 10 if not least else count >= least * len(memory) / 10:
                memory.append(_resident_kib())
        passed = time.perf_counter() - begun
    return count / passed, count, memory


def _resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def seals(small: Path, large: Path, probed: Path, count: int = 300) -> tuple[list[float], list[float], list[float]]:
    """Seconds of seals of two ledgers, their journals included, and of writing 4 KiB durably; all in turn."""
    with open_ledger(str(small)) as one, open_ledger(str(large)) as other:
        audits, probe = (one.audit, other.audit), []
        times: tuple[list[float], list[float]] = [], []
        for _ in range(count):
            probe += sync_probe(probed, 4096, 1)
            for found, audit in zip(times, audits, strict=True):
                found.append(seconds(lambda audit=audit: audit.seal(CASE)))
        return *times, probe


def proofs(data: Path, count: int = 200) -> tuple[list[float], int]:
    dice = random.Random(1)
    with opened(data) as log:
        at = log.nodes()
        places = [dice.randrange(log.size) for _ in range(count)]
        return [seconds(lambda seq=seq: inclusion_proof(at, seq, log.size)) for seq in places], log.size


def lookups(data: Path, count: int = 10) -> list[float]:
    """Seconds to find an event by its id and prove it; ids of the first entries, the furthest from the end."""
    with open_ledger(str(data)) as ledger:
        audit = ledger.audit
        return [seconds(lambda n=n: audit.prove(f"p001{n:09d}")) for n in range(count)]


def stored(folder: Path, raw_mean: float) -> float:
    """Bytes of segments' files as a share of the raw events in them."""
    files = list(folder.rglob("*.parquet"))
    return sum(path.stat().st_size for path in files) / sum(int(path.stem.split("-")[1]) for path in files) / raw_mean


def exported(data: Path, work: Path) -> Iterator[tuple[str, float, str]]:
    """Export of all that a log holds, and how fast verify.py checks it beside the hashing that it has to do."""
    with open_ledger(str(data)) as ledger:
        sealed = ledger.audit.seal(CASE)
        done = []
        used = cpu_seconds(lambda: done.append(ledger.export(sealed.seal_id, work / "bundle.zip", redact=False)))
    yield f"export, {done[0].entries:,} entries", used / done[0].entries * 1e6, "us CPU/entry"
    (work / "verify.py").write_bytes(bundle_verifier())
    command = [sys.executable, "-I", "-S", "verify.py", "bundle.zip"]
    block = bytes(1024)

    def check() -> float:
        return cpu_seconds(lambda: subprocess.run(command, cwd=work, check=True, capture_output=True))

    pairs = []
    for _ in range(ROUNDS):
        floor = cpu_seconds(lambda: [sha256(block).digest() for _ in range(200_000)]) / 200_000
        begun, used = time.perf_counter(), check()
        pairs.append((floor, (time.perf_counter() - begun) / done[0].entries, used / done[0].entries))
    yield "verify.py", 1 / median(each[1] for each in pairs), "entries/s"
    yield "  / SHA-256 of 1 KiB in a loop (target 0.15)", median(a / b for a, b, _ in pairs), ""
    yield "  the same by processor time", median(a / b for a, _, b in pairs), ""


def measure(asked: argparse.Namespace) -> Iterator[tuple[str, float, str]]:
    lines = events(40_000, 1)
    raw = sum(map(len, lines)) / len(lines)
    yield "raw event", raw, "bytes"
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        work = Path(name)
        yield "parse only (orjson.loads)", 1 / median(parsing(lines)[0] for _ in range(ROUNDS)), "events/s"
        for batch in (100, 1000):
            yield from bursts(work, lines, batch)
        for peer, rate in peers(work, lines).items():
            yield f"  peer {peer}, batches of {BATCH_EVENTS}, no proof", rate, "events/s"
        yield from long_run(work / "sustained", lines, asked)
        yield "evidence file / raw (target 0.40)", stored(work / "sustained" / "ledger" / WRITER / "evidence", raw), ""
        yield "analysis table / raw (target 0.25)", stored(work / "sustained" / "analysis", raw), ""
        yield from by_size(work, lines)
        append(work / "bundled", lines * 3, 1000)
        yield from exported(work / "bundled", work)


def long_run(data: Path, lines: list[bytes], asked: argparse.Namespace) -> Iterator[tuple[str, float, str]]:
    """A minute of appending with segments closing, the floor before and after it; the median of some, each a new log.

    With a number of events it is one: it takes as long as it takes.
    """
    runs = []
    for number in range(1 if asked.events else SUSTAINED_ROUNDS):
        if number:
            shutil.rmtree(data)
        floors = [parsing(lines) for _ in range(ROUNDS)]
        found: list[tuple[float, int, list[int]]] = []
        used = cpu_seconds(lambda: found.append(sustained(data, lines, asked.seconds, asked.events)))  # noqa: B023
        floors += [parsing(lines) for _ in range(ROUNDS)]
        clock, processor = (median(each[i] for each in floors) for i in (0, 1))
        rate, count, memory = found[0]
        runs.append((rate * clock, rate, count, processor * 2 / (used / count), used / count * 1e6, memory))
    ratio, rate, count, by_processor, each, memory = sorted(runs)[len(runs) // 2]
    yield f"sustained, segments closing ({count:,} events in {count / rate:.0f} s)", rate, "events/s"
    yield "  / parse only (target 0.20)", ratio, ""
    yield f"  least and most of {len(runs)}", min(runs)[0], f"to {max(runs)[0]:.3f}"
    yield "  the same by processor time of 2 cores", by_processor, ""
    yield "  processor time an event, all processes", each, "us"
    yield "  memory, last half / first half", sum(memory[-5:]) / sum(memory[:5]), ""


def by_size(work: Path, lines: list[bytes]) -> Iterator[tuple[str, float, str]]:
    """What shall not grow with the log, at 10,000 entries and at those of the long run."""
    small, large = work / "small", work / "sustained"
    append(small, lines[:10_000], 1000)
    wal, used = sum(path.stat().st_size for path in (small / "ledger" / WRITER / "wal").iterdir()) / 1e9, list[float]()
    clock = seconds(lambda: used.append(cpu_seconds(lambda: opened(small).close())))
    yield "recovery (target 7 s/GB)", clock / wal, "s/GB"
    yield "  the same by processor time", used[0] / wal, "s/GB"
    one, many, probe = seals(small, large, work)
    yield "fdatasync of 4 KiB, p99", quantile(probe, 0.99) * 1000, "ms"
    yield "seal p99 at 10,000", quantile(one, 0.99) * 1000, "ms"
    times, size = proofs(large)
    yield f"seal p99 at {size:,}", quantile(many, 0.99) * 1000, "ms"
    yield "  limit: 3 fdatasync p99 + 15 ms", quantile(probe, 0.99) * 3000 + 15, "ms"
    yield "  p50 large / p50 at 10,000 (target 1.5)", quantile(many, 0.5) / quantile(one, 0.5), ""
    yield f"inclusion proof p50 at {size:,} (target 2 ms)", quantile(times, 0.5) * 1000, "ms"
    yield "find an event by its id and prove it, p50", quantile(lookups(large), 0.5) * 1000, "ms"
    with opened(small) as log:
        yield "deep verify", log.size / seconds(lambda: verify_folder(log, log.signer.verifier)), "entries/s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of the sustained run")
    parser.add_argument("--events", type=int, default=0, help="go on with it until the log has so many events")
    parser.add_argument("--folder", default=None, help="where to write: the disk that is measured")
    for name, value, unit in measure(parser.parse_args()):
        print(f"{name:62} {value:14,.3f} {unit}", flush=True)


if __name__ == "__main__":
    main()
