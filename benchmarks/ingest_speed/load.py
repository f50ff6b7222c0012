"""The load: what `andon_sdk` sends, over some connections at once, each a producer; prints one JSON document.

Usage: python load.py URL TOKEN --batch N --events N [--seconds S] [--connections N]
"""

import argparse
import asyncio
import json
import secrets
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ledger import events  # the same events as the ledger's benchmark


@dataclass
class Told:
    """What came back."""

    events: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """Where to, as whom, until when (a time of `time.perf_counter`, or after one round of the bodies)."""

    url: str
    token: str
    until: float | None


async def connection(target: Target, bodies: list[tuple[int, bytes]], told: Told) -> None:
    """One connection: requests one after the other, as one process with the SDK sends them."""
    parts = urllib.parse.urlsplit(target.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    producer, number = f"prod_{secrets.token_hex(16)}", 0
    while True:
        for count, body in bodies:
            head = (
                f"POST /api/v1/events HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {target.token}\r\n"
                f"Content-Type: application/x-ndjson\r\nAndon-Producer: {producer}\r\nAndon-Epoch: 1\r\n"
                f"Andon-First: {number}\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            status = await request(reader, writer, head + body, told)
            told.statuses[status] = told.statuses.get(status, 0) + 1
            if status == "200":
                told.events, number = told.events + count, number + count
            if target.until is not None and time.perf_counter() >= target.until:
                break
        if target.until is None or time.perf_counter() >= target.until:
            break
    writer.close()


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, told: Told) -> str:
    """The status of the answer."""
    begun = time.perf_counter()
    writer.write(data)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    told.seconds.append(time.perf_counter() - begun)
    return head.split(b" ", 2)[1].decode()


async def run(asked: argparse.Namespace) -> dict[str, object]:
    """All connections at once."""
    lines = events(asked.events, 1)
    starts = range(0, len(lines), asked.batch)
    bodies = [(len(part), b"\n".join(part) + b"\n") for part in (lines[at : at + asked.batch] for at in starts)]
    shares = [bodies[at :: asked.connections] for at in range(asked.connections)]
    told, begun = Told(), time.perf_counter()
    target = Target(asked.url, asked.token, begun + asked.seconds if asked.seconds else None)
    await asyncio.gather(*(connection(target, share, told) for share in shares if share))
    passed = time.perf_counter() - begun
    ordered = sorted(told.seconds)
    return {
        "events": told.events,
        "seconds": passed,
        "rate": told.events / passed,
        "statuses": told.statuses,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "event_bytes": sum(map(len, lines)) / len(lines),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--connections", type=int, default=8)
    print(json.dumps(asyncio.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
