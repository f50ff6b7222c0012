"""Closes segments in another process, so that the one that records keeps its core."""

import json
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict

from andon.adapters.segments.closing import Closed, Job, Written
from andon.base.errors import Tampered

MEMORY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "3",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(1 << 26),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "OPENBLAS_NUM_THREADS": "1",
}
"""Keeps the child's memory from job to job: it is given back else, and asking again took a fifth of the time.

Threads of OpenBLAS, for which there is nothing to do, would look for work for a while after each job."""


class Child:
    """A process that is started with the first job."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the environment that the process gets."""
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting = 0

    def start(self, job: Job) -> None:
        if self._process is None:
            command = [
                sys.executable,
                "-P",
                "-m",
                "andon.adapters.segments.closing",
            ]  # -P: nothing from the folder it runs in
            self._process = subprocess.Popen(  # noqa: S603  # our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**self._environment, **MEMORY},
                bufsize=0,  # `select` sees no line that waits in a buffer of this process
            )
        if self._process.stdin is None:
            raise OSError(None, "the process that closes segments has no input")
        self._process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
        self._waiting += 1

    def take(self, *, wait: bool) -> Closed | None:
        if not self._waiting or self._process is None or self._process.stdout is None:
            return None
        if not wait and not select.select([self._process.stdout], [], [], 0)[0]:
            return None
        line = self._process.stdout.readline()
        if not line:
            raise OSError(None, "the process that closes segments ended early")
        self._waiting -= 1
        answer = json.loads(line)
        if "tampered" in answer:
            raise Tampered(answer["tampered"])
        if "errno" in answer:
            raise OSError(answer["errno"], answer["error"])
        found = answer["closed"]
        tables = tuple(Written(**each) for each in found["tables"])
        return Closed(found["first"], found["count"], Written(**found["evidence"]), Written(**found["ids"]), tables)

    def close(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.terminate()
        self._process.wait()
        self._process = None
