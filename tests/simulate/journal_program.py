"""One server's journal as a process of its own: it commits and follows, and exits or pauses at a named point.

Usage: journal_program.py FOLDER [--database URL] [--commits N] [--from N] [--exit-at POINT[:N]] [--stop-at POINT[:N]]
It writes what was acknowledged to FOLDER/acknowledged, what an outsider was told to FOLDER/told; both are fsynced.
"""

import argparse
import os
import secrets
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from andon.adapters.keyring import Keyring
from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import SegmentLog, Settings
from andon.adapters.sql.journal import SqlJournal
from andon.adapters.sql.lease import SqlLease
from andon.base.errors import Refused, Unavailable
from andon.bootstrap.database import open_database
from andon.evidence import custody
from andon.ledger.checkpoint import Signer
from andon.ledger.journal import Command, Fact, Message
from andon.people import token
from andon.services.follow import Follow

SIGNER = Signer("test.local/journal", bytes(range(32)))
LEASE = timedelta(seconds=1)


def now():
    return datetime.now(UTC)  # noqa: TID251  # a real process


class Trap:
    """Exits or pauses when a point is reached for the n-th time."""

    def __init__(self, exit_at, stop_at):
        self.traps = {}
        for given, act in ((exit_at, lambda: os._exit(99)), (stop_at, lambda: os.kill(os.getpid(), signal.SIGSTOP))):
            if given:
                point, _, count = given.partition(":")
                self.traps[point] = [int(count or 1), act]

    def __call__(self, point):
        if point in self.traps:
            self.traps[point][0] -= 1
            if self.traps[point][0] == 0:
                self.traps[point][1]()


class TrappedDisk(Disk):
    def __init__(self, trap):
        self.trap = trap

    def sync(self, path):
        self.trap("fsync")  # written, not yet durable
        super().sync(path)


class Outsider:
    def __init__(self, path):
        self.path = path

    def send(self, message_id, message):
        append(self.path, f"{message_id} {message.body}")


def append(path, line):
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def creation(number):
    data = {"role": "viewer", "digest": f"{number:064x}", "models": [], "expires_at": None}
    message = Message("chat", f"token {number}")
    fact = Fact("token_created", f"tok_{number}", "tester", data, {"name": f"person {number}"}, (message,))
    return Command(f"request {number}", lambda _: fact)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database")
    parser.add_argument("--commits", type=int, default=0)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--exit-at")
    parser.add_argument("--stop-at")
    parser.add_argument("--until", type=int, default=0, help="follow until so many entries are in the ledger")
    asked = parser.parse_args()
    trap = Trap(asked.exit_at, asked.stop_at)
    engine = open_database(asked.folder, asked.database)
    keys = Keyring(asked.folder / "keys.db")
    journal = SqlJournal(engine, keys, {**token.FOLDS, **custody.FOLDS}, now, secrets.token_bytes, reach=trap)
    follow = Follow(
        journal,
        SqlLease(engine, secrets.token_hex(8), LEASE),
        lambda: SegmentLog(asked.folder / "journal", SIGNER, now, TrappedDisk(trap), Settings(16)),
        {"chat": Outsider(asked.folder / "told")},
        trap,
    )
    for number in range(asked.first, asked.first + asked.commits):
        journal.commit(creation(number))
        append(asked.folder / "acknowledged", str(number))
        step(follow)
    while journal.last() < asked.until or not step(follow):
        time.sleep(0.05)
    journal.check()


def step(follow):
    """Whether this process follows; a log that another one has open, and a lease that was lost, are tried again."""
    try:
        follows = follow.step(now())
        follow.tell("chat")
    except (Refused, Unavailable):
        return False
    return follows


if __name__ == "__main__":
    main()
