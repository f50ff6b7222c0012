"""The intake: requests of events wait here, and all that wait go to the disk with one fsync."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from andon.base.errors import AndonError, Busy, Unavailable
from andon.bootstrap.house import House
from andon.services.ingest import Accepted, Batch

LOGGER: Final = logging.getLogger("andon.server")
GROUP_EVENTS: Final = 20_000
CHECKPOINT_SECONDS: Final = 0.9
POSITIONS_ENTRIES: Final = 50_000
RETRY_SECONDS: Final = 1.0


@dataclass(slots=True)
class Waiting:
    """A request that waits for the disk; `size` in bytes."""

    batch: Batch
    size: int
    answer: "asyncio.Future[Accepted]"


class Intake:
    """One thread appends; the next group is what queued while the last one was written."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._queue: deque[Waiting] = deque()
        self._ready = threading.Condition()
        self._ended = False
        self.failed: AndonError | None = None
        self._room_checked_at = 0.0
        self._kept_at = house.log.size
        self.pending_bytes = 0
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        with self._ready:
            self._ended = True
            self._ready.notify()
        self._thread.join()

    def require_room(self, size: int) -> None:
        """Refuse a request before it is read when it cannot be taken.

        Raises:
            Busy: too much waits already.
            Full: the disk has no room.
            Unavailable: the disk failed; recovery is tried each second.
        """
        if self.failed is not None:
            raise self.failed
        if self.pending_bytes + size > self._house.settings.limits.pending_bytes_max:
            raise Busy("too much waits for the disk: wait as long as Retry-After says, and send the same again")
        clock = time.monotonic()
        if clock - self._room_checked_at > RETRY_SECONDS:
            self._house.require_room()
            self._room_checked_at = clock

    async def submit(self, batch: Batch, size: int) -> Accepted:
        """What became of a request, once it is on the disk."""
        self.require_room(size)
        waiting = Waiting(batch, size, self._loop.create_future())
        with self._ready:
            if self._ended:
                raise Busy("the server is ending: send the same again when it is back")
            self._queue.append(waiting)
            self.pending_bytes += size
            self._ready.notify()
        return await waiting.answer

    def _work(self) -> None:
        signed_at, signed_size = time.monotonic(), self._house.log.size
        while True:
            group = self._next()
            if group is None:
                return
            if group:
                self._write(group)
            clock = time.monotonic()
            if self.failed is not None:
                self._recover()
            elif clock - signed_at >= CHECKPOINT_SECONDS and self._house.log.size != signed_size:
                self._sign()
                signed_at, signed_size = clock, self._house.log.size

    def _next(self) -> list[Waiting] | None:
        """What waits, up to a group; empty after a while of nothing; None at the end."""
        with self._ready:
            if not self._queue and not self._ended:
                self._ready.wait(CHECKPOINT_SECONDS)
            if not self._queue:
                return None if self._ended else []
            group, events = [], 0
            while self._queue and events < GROUP_EVENTS:
                group.append(self._queue.popleft())
                events += group[-1].batch.lines
            return group

    def _write(self, group: Sequence[Waiting]) -> None:
        answers: Sequence[Accepted | AndonError] = [self.failed] * len(group) if self.failed else []
        try:
            answers = answers or self._house.ingest.accept([each.batch for each in group])
        except AndonError as error:
            self.failed = error
            answers = [error] * len(group)
        except Exception as error:  # noqa: BLE001  # the worker's loop: else every later request would wait for ever
            LOGGER.error("intake: %s", type(error).__name__)  # noqa: TRY400  # its text may hold data
            self.failed = Unavailable("taking events broke: the log is opened anew; send the same again")
            answers = [self.failed] * len(group)
        self._loop.call_soon_threadsafe(self._answer, group, answers)
        if self._house.log.size - self._kept_at > POSITIONS_ENTRIES and self.failed is None:
            self._kept_at = self._house.log.size
            self._house.keep_positions()

    def _answer(self, group: Sequence[Waiting], answers: Sequence[Accepted | AndonError]) -> None:
        for waiting, answer in zip(group, answers, strict=True):
            self.pending_bytes -= waiting.size
            if waiting.answer.done():  # the caller went away
                continue
            if isinstance(answer, AndonError):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)

    def _sign(self) -> None:
        try:
            self._house.log.checkpoint()
        except Unavailable as error:
            self.failed = error

    def _recover(self) -> None:
        """Open the log anew; if that fails, the next look tries again, and until then the failure is the answer."""
        with suppress(AndonError):
            self._house.reopen()
            self.failed = None
