#!/usr/bin/env python3
"""Measures the ledger as ratios to what this machine can do in the same run; see README.md."""

import argparse
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import orjson

from andon.adapters.segments.closer import Child
from andon.adapters.segments.log import SegmentLog, Settings
from andon.adapters.segments.verify import verify_folder
from andon.adapters.zip_bundle import ZipBundle
from andon.bootstrap.ledger import bundle_verifier
from andon.ledger.checkpoint import Signer
from andon.ledger.merkle import inclusion_proof
from andon.services.audit import Audit, Case
from andon.services.export import Export
from andon.services.record import BATCH_EVENTS, Record

WORDS = [f"{head}{tail}" for head in ("ba", "co", "di", "fu", "ge", "lo", "mi", "ne") for tail in ("ran", "lus", "tek")]
SIGNER = Signer("benchmark.local/w-main", bytes(range(32)))


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


def opened(folder: Path) -> SegmentLog:
    return SegmentLog(folder, SIGNER, lambda: datetime.now(UTC), settings=Settings(closer=lambda _: Child(os.environ)))


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


def append(folder: Path, lines: list[bytes], batch: int) -> tuple[float, float]:
    """Events a second, from the bytes of a batch to the fsync: by the clock, and by processor time."""
    with opened(folder) as log:
        record = Record(log, lambda: datetime.now(UTC), os.urandom)
        batches = [lines[at : at + batch] for at in range(0, len(lines), batch)]
        used = []

        def work() -> None:
            used.append(cpu_seconds(lambda: [log.append(record.entries(each)) for each in batches]))

        return len(lines) / seconds(work), len(lines) / used[0]


def sustained(folder: Path, lines: list[bytes], length: float, least: int) -> tuple[float, int, list[int]]:
    """Events a second with segments closing, how many events, and the memory (KiB) at each tenth.

    It goes on for so many seconds, and until there are so many events.
    """
    memory, count, begun = [], 0, time.perf_counter()
    with opened(folder) as log:
        record = Record(log, lambda: datetime.now(UTC), os.urandom)
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


def seals(folder: Path, count: int = 60) -> list[float]:
    with opened(folder) as log:
        audit = Audit(log, SIGNER.verifier, lambda: datetime.now(UTC), os.urandom)
        case = Case("loan", None, None, "benchmark", {})
        return [seconds(lambda: audit.seal(case)) for _ in range(count)]


def proofs(folder: Path, count: int = 200) -> tuple[list[float], int]:
    dice = random.Random(1)
    with opened(folder) as log:
        at = log.nodes()
        places = [dice.randrange(log.size) for _ in range(count)]
        return [seconds(lambda seq=seq: inclusion_proof(at, seq, log.size)) for seq in places], log.size


def storage(folder: Path, raw_mean: float) -> float:
    files = list((folder / "evidence").iterdir())
    entries = sum(int(path.stem.split("-")[1]) for path in files)
    return sum(path.stat().st_size for path in files) / (entries * raw_mean)


def bytes_of(name: str) -> Iterator[bytes]:
    raise LookupError(name)  # nothing is pinned here


def standard_library_verify(folder: Path, work: Path) -> tuple[float, float]:
    """Entries a second that verify.py checks, and its share of the hashing that it cannot do without."""
    with opened(folder) as log:
        audit = Audit(log, SIGNER.verifier, lambda: datetime.now(UTC), os.urandom)
        sealed = audit.seal(Case("loan", None, None, "benchmark", {}))
        job = Export(log, SIGNER.verifier, lambda: datetime.now(UTC), os.urandom, bundle_verifier(), "{file}", bytes_of)
        with ZipBundle(work / "bundle.zip") as sink:
            done = job.export(sealed.seal_id, sink, "bundle.zip", redact=False)
    (work / "verify.py").write_bytes(bundle_verifier())
    command = [sys.executable, "-I", "-S", "verify.py", "bundle.zip"]
    rate = done.entries / seconds(lambda: subprocess.run(command, cwd=work, check=True, capture_output=True))
    data = bytes(1024)
    ceiling = 200_000 / seconds(lambda: [sha256(data).digest() for _ in range(200_000)])
    return rate, rate / ceiling


def analysis_storage(folder: Path, raw_mean: float) -> float:
    files = list((folder / "analysis").glob("*/*.parquet"))
    entries = sum(int(path.stem.split("-")[1]) for path in files)
    return sum(path.stat().st_size for path in files) / (entries * raw_mean)


def measure(asked: argparse.Namespace) -> Iterator[tuple[str, float, str]]:  # noqa: PLR0915  # a list
    lines = events(40_000, 1)
    raw = sum(map(len, lines)) / len(lines)
    yield "raw event", raw, "bytes"
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        work = Path(name)
        parse = len(lines) / min(seconds(lambda: parse_only(lines)) for _ in range(5))
        parse_cpu = len(lines) / min(cpu_seconds(lambda: parse_only(lines)) for _ in range(5))
        yield "parse only (orjson.loads)", parse, "events/s"
        for batch in (100, 1000):
            runs = [append(work / f"append{batch}-{n}", lines, batch) for n in range(3)]
            rate, rate_cpu = max(run[0] for run in runs), max(run[1] for run in runs)
            yield f"durable append, batches of {batch}", rate, "events/s"
            yield f"  / parse only (target 0.30), batches of {batch}", rate / parse, ""
            yield "  the same by processor time", rate_cpu / parse_cpu, ""
        for peer, rate in peers(work, lines).items():
            yield f"  peer {peer}, batches of {BATCH_EVENTS}, no proof", rate, "events/s"
        found: list[tuple[float, int, list[int]]] = []
        used = cpu_seconds(lambda: found.append(sustained(work / "sustained", lines, asked.seconds, asked.events)))
        rate, count, memory = found[0]
        yield f"sustained, segments closing ({count:,} events in {count / rate:.0f} s)", rate, "events/s"
        yield "  / parse only (target 0.20)", rate / parse, ""
        yield "  the same by processor time of 2 cores", count / used / parse_cpu * 2, ""
        yield "  memory, last half / first half", sum(memory[-5:]) / sum(memory[:5]), ""
        yield "evidence file / raw (target 0.40)", storage(work / "sustained", raw), ""
        yield "analysis table / raw (target 0.25)", analysis_storage(work / "sustained", raw), ""
        small = work / "small"
        append(small, lines[:10_000], 1000)
        probe = sync_probe(work, 4096)
        yield "fdatasync of 4 KiB, p99", quantile(probe, 0.99) * 1000, "ms"
        one, many = seals(small), seals(work / "sustained")
        yield "seal p99 at 10,000", quantile(one, 0.99) * 1000, "ms"
        yield f"seal p99 at {count:,}", quantile(many, 0.99) * 1000, "ms"
        yield "  limit: 3 fdatasync p99 + 15 ms", quantile(probe, 0.99) * 3000 + 15, "ms"
        yield "  p50 large / p50 at 10,000 (target 1.5)", quantile(many, 0.5) / quantile(one, 0.5), ""
        times, size = proofs(work / "sustained")
        yield f"inclusion proof p50 at {size:,} (target 2 ms)", quantile(times, 0.5) * 1000, "ms"
        wal = sum(path.stat().st_size for path in (small / "wal").iterdir())
        yield "recovery (target 7 s/GB)", seconds(lambda: opened(small).close()) / wal * 1e9, "s/GB"
        with opened(small) as log:
            yield "deep verify", log.size / seconds(lambda: verify_folder(log, SIGNER.verifier)), "entries/s"
        append(work / "bundled", lines * 3, 1000)
        rate, share = standard_library_verify(work / "bundled", work)
        yield "verify.py", rate, "entries/s"
        yield "  / SHA-256 of 1 KiB in a loop (target 0.15)", share, ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of the sustained run")
    parser.add_argument("--events", type=int, default=0, help="go on with it until the log has so many events")
    parser.add_argument("--folder", default=None, help="where to write: the disk that is measured")
    for name, value, unit in measure(parser.parse_args()):
        print(f"{name:62} {value:14,.3f} {unit}", flush=True)


if __name__ == "__main__":
    main()
