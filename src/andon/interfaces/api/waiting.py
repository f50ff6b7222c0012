"""Requests that wait for a thread which does many of them at once."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from andon.base.errors import Busy

Asked = TypeVar("Asked")
Told = TypeVar("Told")


@dataclass(slots=True)
class Waiting(Generic[Asked, Told]):
    """A request that waits for its answer; `size` in bytes."""

    asked: Asked
    size: int
    answer: "asyncio.Future[Told]"


class WaitingRoom(Generic[Asked, Told]):
    """What requests ask waits here for one thread, which takes a group and answers each of it.

    The next group is what queued while the last one was done. The event loop asks and is told; `work` runs in the
    thread until `take` says that it is the end.
    """

    def __init__(self, name: str, work: Callable[[], None], bytes_max: int) -> None:
        self._queue: deque[Waiting[Asked, Told]] = deque()
        self._ready = threading.Condition()
        self._ended = False
        self._bytes_max = bytes_max
        self.pending_bytes = 0
        self._thread = threading.Thread(target=work, name=name, daemon=True)

    def open(self) -> None:
        """Begin; called in the event loop that will ask."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """Let the thread do what waits, then end."""
        with self._ready:
            self._ended = True
            self._ready.notify()
        self._thread.join()

    def require_room(self, size: int) -> None:
        """Refuse what there is no room for.

        Raises:
            Busy: too much waits already.
        """
        if self.pending_bytes + size > self._bytes_max:
            raise Busy("too much waits for the disk: wait as long as Retry-After says, and send the same again")

    async def ask(self, asked: Asked, size: int) -> Told:
        """The answer, once there is one; raises what came instead.

        Raises:
            Busy: the server ends.
        """
        waiting: Waiting[Asked, Told] = Waiting(asked, size, self._loop.create_future())
        with self._ready:
            if self._ended:
                raise Busy("the server is ending: send the same again when it is back")
            self._queue.append(waiting)
            self.pending_bytes += size
            self._ready.notify()
        return await waiting.answer

    def take(
        self, most: int, weight: Callable[[Asked], int], seconds: float | None = None
    ) -> list[Waiting[Asked, Told]] | None:
        """What waits, up to a weight of about `most`; empty after `seconds` of nothing; None at the end."""
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._ended, seconds)
            if not self._queue:
                return None if self._ended else []
            group: list[Waiting[Asked, Told]] = []
            weighed = 0
            while self._queue and weighed < most:
                group.append(self._queue.popleft())
                weighed += weight(group[-1].asked)
            return group

    def tell(self, group: Sequence[Waiting[Asked, Told]], answers: Sequence[Told | Exception]) -> None:
        """Answer each of a group; called in the thread."""
        self._loop.call_soon_threadsafe(self._tell, group, answers)

    def _tell(self, group: Sequence[Waiting[Asked, Told]], answers: Sequence[Told | Exception]) -> None:
        for waiting, answer in zip(group, answers, strict=True):
            self.pending_bytes -= waiting.size
            if waiting.answer.done():  # the caller went away
                continue
            if isinstance(answer, Exception):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)
