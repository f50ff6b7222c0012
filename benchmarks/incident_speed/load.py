"""The load: webhooks of Alertmanager with one alert each, at a fixed rate; prints one JSON document.

Usage: python load.py URL TOKEN --rate N --seconds S [--models N] [--connections N]

A request is due at its time whether or not those before it were answered, and its time counts from when it was due: a
server that stands still for a second makes all of that second's requests late.
"""

import argparse
import asyncio
import json
import sys
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass, field

START = "2026-03-01T00:00:00Z"
LEAD_SECONDS = 0.2


@dataclass
class Told:
    """What came back: statuses, seconds of each request, and how long the sender itself was late."""

    statuses: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


def webhook(number: int, models: int) -> bytes:
    """One firing alert, as Alertmanager sends it."""
    labels = {"alertname": "Drift", "model_id": f"loaded-{number % models}", "incident_type": "model_drift"}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "The input moved"},
        "startsAt": START,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.local/graph",
        "fingerprint": f"{number:016x}",
    }
    group = {"version": "4", "groupKey": f"{{}}/{number}", "status": "firing", "receiver": "andon"}
    return json.dumps({**group, "groupLabels": {}, "commonLabels": labels, "alerts": [alert]}).encode()


async def sender(target: tuple[str, str], due: "deque[tuple[float, bytes]]", told: Told) -> None:
    """One connection: takes the next request that is due, and waits for its answer."""
    url, token = target
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    while due:
        at, body = due.popleft()
        if (early := at - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        head = (
            f"POST /api/v1/signals/alertmanager HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        told.late.append(time.perf_counter() - at)
        writer.write(head + body)
        await writer.drain()
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        told.seconds.append(time.perf_counter() - at)
        status = answer.split(b" ", 2)[1].decode()
        told.statuses[status] = told.statuses.get(status, 0) + 1
    writer.close()


async def run(asked: argparse.Namespace) -> dict[str, object]:
    """All connections at once."""
    count = max(1, int(asked.rate * asked.seconds))
    begun = time.perf_counter() + LEAD_SECONDS
    due = deque((begun + number / asked.rate, webhook(number, asked.models)) for number in range(count))
    told = Told()
    await asyncio.gather(*(sender((asked.url, asked.token), due, told) for _ in range(asked.connections)))
    passed = time.perf_counter() - begun
    ordered, late = sorted(told.seconds), sorted(told.late)
    return {
        "requests": count,
        "rate": count / passed,
        "statuses": told.statuses,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "most_ms": ordered[-1] * 1000,
        "sent_late_p99_ms": late[int(len(late) * 0.99)] * 1000,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--connections", type=int, default=32)
    sys.stdout.write(json.dumps(asyncio.run(run(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
