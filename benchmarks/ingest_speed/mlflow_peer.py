"""A peer: MLflow's tracing at its best, 100 spans in one trace, over OTLP; run by a Python that has mlflow.

Usage: python mlflow_peer.py EVENTS.jsonl FOLDER PORT. Prints events a second; all are in its SQLite when it answers.
"""

import os
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SPANS = 100


def request_of(lines: list[bytes]) -> bytes:
    """One trace, one span an event, the event as its attribute."""
    message = ExportTraceServiceRequest()
    spans = message.resource_spans.add().scope_spans.add().spans
    trace, root, now = os.urandom(16), os.urandom(8), time.time_ns()
    for number, line in enumerate(lines):
        span = spans.add(trace_id=trace, span_id=root if number == 0 else os.urandom(8), name="inference")
        span.parent_span_id = b"" if number == 0 else root
        span.start_time_unix_nano, span.end_time_unix_nano = now, now + 1_000_000
        attribute = span.attributes.add(key="event")
        attribute.value.string_value = line.decode()
    return message.SerializeToString()


def main() -> None:
    """Start it, send, print."""
    lines, folder, port = Path(sys.argv[1]).read_bytes().splitlines(), Path(sys.argv[2]), sys.argv[3]
    mlflow = str(Path(sys.executable).with_name("mlflow"))
    command = [
        mlflow,
        "server",
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--port",
        port,
        "--workers",
        "1",
    ]
    with (folder / "mlflow.log").open("wb") as log:
        process = subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=log, stderr=log, cwd=folder)  # noqa: S603
    try:
        wait(f"http://127.0.0.1:{port}/health", process)
        headers = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
        post(f"http://127.0.0.1:{port}/v1/traces", request_of(lines[:SPANS]), headers)  # warm
        rates = []
        for senders in (1, 4):  # the better counts; every trace has an id of its own
            bodies = [request_of(lines[at : at + SPANS]) for at in range(0, len(lines), SPANS)]
            begun = time.perf_counter()
            with ThreadPoolExecutor(senders) as pool:
                list(pool.map(lambda body: post(f"http://127.0.0.1:{port}/v1/traces", body, headers), bodies))
            rates.append(len(lines) / (time.perf_counter() - begun))
        print(max(rates))
    finally:
        process.terminate()
        process.wait()


def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """Send; anything but 200 ends it."""
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as answer:  # noqa: S310
        answer.read()


def wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Until it answers."""
    for _ in range(600):
        if process.poll() is not None:
            sys.exit("mlflow server ended: see mlflow.log")
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    sys.exit("mlflow server does not answer")


if __name__ == "__main__":
    main()
