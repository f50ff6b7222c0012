"""Commands of requests wait here, and all that wait are done in one transaction, by one thread."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from andon.base.errors import Busy
from andon.bootstrap.house import House
from andon.ledger.journal import Command, Committed

LOGGER: Final = logging.getLogger("andon.server")
TOGETHER_MAX: Final = 64


@dataclass(slots=True)
class Waiting:
    """A request that waits for its command; `size` in bytes."""

    command: Command
    size: int
    answer: "asyncio.Future[Committed]"


class Commits:
    """One thread commits; the next group is what queued while the last one was written.

    A thread for each request costs several changes of thread for each, and these wait for the interpreter.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._queue: deque[Waiting] = deque()
        self._ready = threading.Condition()
        self._ended = False
        self.pending_bytes = 0
        self._thread = threading.Thread(target=self._work, name="commits", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Do what waits, then end."""
        with self._ready:
            self._ended = True
            self._ready.notify()
        self._thread.join()

    async def do(self, command: Command, size: int) -> Committed:
        """What came of a command, once it is durable; raises what it raised.

        Raises:
            Busy: too much waits already, or the server ends.
        """
        if self.pending_bytes + size > self._house.settings.limits.pending_bytes_max:
            raise Busy("too much waits for the disk: wait as long as Retry-After says, and send the same again")
        waiting = Waiting(command, size, self._loop.create_future())
        with self._ready:
            if self._ended:
                raise Busy("the server is ending: send the same again when it is back")
            self._queue.append(waiting)
            self.pending_bytes += size
            self._ready.notify()
        return await waiting.answer

    def _work(self) -> None:
        while group := self._next():
            self._loop.call_soon_threadsafe(self._answer, group, self._done(group))

    def _next(self) -> list[Waiting]:
        """What waits, up to a group; nothing at the end."""
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._ended)
            return [self._queue.popleft() for _ in range(min(TOGETHER_MAX, len(self._queue)))]

    def _done(self, group: Sequence[Waiting]) -> Sequence[Committed | Exception]:
        try:
            return self._house.opened.journal.commit_all([each.command for each in group])
        except Exception as error:  # noqa: BLE001  # the worker's loop: else every later request would wait for ever
            LOGGER.error("commits: %s", type(error).__name__)  # noqa: TRY400  # its text may hold data
            return [error] * len(group)

    def _answer(self, group: Sequence[Waiting], outcomes: Sequence[Committed | Exception]) -> None:
        for waiting, outcome in zip(group, outcomes, strict=True):
            self.pending_bytes -= waiting.size
            if waiting.answer.done():  # the caller went away
                continue
            if isinstance(outcome, Exception):
                waiting.answer.set_exception(outcome)
            else:
                waiting.answer.set_result(outcome)
