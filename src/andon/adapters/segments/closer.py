"""Closes segments in other processes, so that the one that records keeps its core."""

import json
import select
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, Final

from andon.adapters.segments.closing import Closed, Job, Written
from andon.base.errors import Tampered, Unavailable

PROCESSES: Final = 2
"""So many segments are closed at once.

Two threads of one process waited for the interpreter's lock: a half of a job needs it.
"""
GIVEN: Final = 2
"""So many jobs a process has, once all were started: it goes on with the next before anybody has read its answer."""
MEMORY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "3",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(1 << 26),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "OPENBLAS_NUM_THREADS": "1",
}
"""Keeps a child's memory from job to job: it is given back else, and asking again took a fifth of the time.

Threads of OpenBLAS, for which there is nothing to do, would look for work for a while after each job."""


@dataclass(slots=True)
class _Task:
    """A job; the process that does it, once one does; its answer, once there is one."""

    job: Job
    child: "_Child | None" = None
    answer: bytes | None = None


class Children:
    """Processes that do their jobs one after the other.

    The first starts with the first job, the other once two wait: a burst shall not pay for what starts after its end.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the environment that the processes get."""
        self._environment = environment
        self._children: list[_Child] = []
        self._tasks: deque[_Task] = deque()

    @property
    def pids(self) -> list[int]:
        """The processes that were started."""
        return [child.pid for child in self._children]

    def start(self, job: Job) -> None:
        self._tasks.append(_Task(job))
        self._hand_out()

    def take(self, *, wait: bool) -> Closed | None:
        while self._tasks and self._tasks[0].answer is None:
            if not self._listen(wait=wait):
                return None
            self._hand_out()
        return _closed(self._tasks.popleft().answer or b"") if self._tasks else None

    def close(self) -> None:
        for child in self._children:
            child.end()
        self._children, self._tasks = [], deque()

    def _hand_out(self) -> None:
        """Give jobs that wait to processes that have the fewest, the oldest first."""
        waiting = [task for task in self._tasks if task.child is None]
        is_busy = len(self._running()) == len(self._children)
        if is_busy and len(self._children) < PROCESSES and len(waiting) > len(self._children):
            self._children.append(_Child(self._environment))
        most = GIVEN if len(self._children) == PROCESSES else 1
        for task in waiting:
            given = Counter(task.child for task in self._tasks if task.answer is None)
            child = min(self._children, key=given.__getitem__)
            if given[child] == most:
                return
            task.child = child
            child.give(task.job)

    def _listen(self, *, wait: bool) -> bool:
        """Hear the answers that are there; False when there is none."""
        running = self._running()
        ready = select.select([child.output for child in running], [], [], None if wait else 0)[0]
        for child, task in running.items():
            if child.output in ready:
                task.answer = child.output.readline()
        return bool(ready)

    def _running(self) -> dict["_Child", _Task]:
        """What each process is at: the first of its jobs that is not answered."""
        left = [task for task in self._tasks if task.child is not None and task.answer is None]
        return {task.child: task for task in reversed(left) if task.child is not None}


class _Child:
    """One of the processes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "andon.adapters.segments.closing"],  # -P: nothing from the folder it runs in
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, **MEMORY},
            bufsize=0,  # `select` sees no line that waits in a buffer of this process
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError(None, "the process that closes segments has no pipes")
        self._input: IO[bytes] = self._process.stdin
        self.output: IO[bytes] = self._process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    def give(self, job: Job) -> None:
        self._input.write(json.dumps(asdict(job)).encode() + b"\n")

    def end(self) -> None:
        for pipe in (self._input, self.output):
            pipe.close()
        self._process.terminate()
        self._process.wait()


def _closed(line: bytes) -> Closed:
    """What a process answered; raises what it could not do."""
    if not line:
        raise Unavailable(
            "the process that closes segments ended early (killed, or out of memory?): what was acknowledged is safe;"
            " run the command again"
        )
    answer = json.loads(line)
    if "tampered" in answer:
        raise Tampered(answer["tampered"])
    if "errno" in answer:
        raise OSError(answer["errno"], answer["error"])
    found = answer["closed"]
    tables = tuple(Written(**each) for each in found["tables"])
    return Closed(found["first"], found["count"], Written(**found["evidence"]), Written(**found["ids"]), tables)
