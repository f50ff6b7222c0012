"""The intake: requests of events wait here, and all that wait go to the disk with one fsync."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from andon.base.errors import AndonError, Unavailable
from andon.bootstrap.house import House
from andon.interfaces.api.waiting import Waiting, WaitingRoom
from andon.services.ingest import Accepted, Batch

LOGGER: Final = logging.getLogger("andon.server")
GROUP_EVENTS: Final = 20_000
CHECKPOINT_SECONDS: Final = 0.9
POSITIONS_ENTRIES: Final = 50_000
RETRY_SECONDS: Final = 1.0


class Intake:
    """One thread appends, and has checkpoints signed meanwhile."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.room = WaitingRoom[Batch, Accepted]("intake", self._work, house.settings.limits.pending_bytes_max)
        self.failed: AndonError | None = None
        self._room_checked_at = 0.0
        self._kept_at = house.log.size

    def require_room(self, size: int) -> None:
        """Refuse a request before it is read when it cannot be taken.

        Raises:
            Busy: too much waits already.
            Full: the disk has no room.
            Unavailable: the disk failed; recovery is tried each second.
        """
        if self.failed is not None:
            raise self.failed
        self.room.require_room(size)
        clock = time.monotonic()
        if clock - self._room_checked_at > RETRY_SECONDS:
            self._house.require_room()
            self._room_checked_at = clock

    async def submit(self, batch: Batch, size: int) -> Accepted:
        """What became of a request, once it is on the disk."""
        self.require_room(size)
        return await self.room.ask(batch, size)

    def _work(self) -> None:
        signed_at, signed_size = time.monotonic(), self._house.log.size
        while (group := self.room.take(GROUP_EVENTS, lambda batch: batch.lines, CHECKPOINT_SECONDS)) is not None:
            if group:
                self._write(group)
            clock = time.monotonic()
            if self.failed is not None:
                self._recover()
            elif clock - signed_at >= CHECKPOINT_SECONDS and self._house.log.size != signed_size:
                self._sign()
                signed_at, signed_size = clock, self._house.log.size

    def _write(self, group: Sequence[Waiting[Batch, Accepted]]) -> None:
        answers: Sequence[Accepted | AndonError] = [self.failed] * len(group) if self.failed else []
        try:
            answers = answers or self._house.ingest.accept([each.asked for each in group])
        except AndonError as error:
            self.failed = error
            answers = [error] * len(group)
        except Exception as error:  # noqa: BLE001  # the worker's loop: else every later request would wait for ever
            LOGGER.error("intake: %s", type(error).__name__)  # noqa: TRY400  # its text may hold data
            self.failed = Unavailable("taking events broke: the log is opened anew; send the same again")
            answers = [self.failed] * len(group)
        self.room.tell(group, answers)
        if self._house.log.size - self._kept_at > POSITIONS_ENTRIES and self.failed is None:
            self._kept_at = self._house.log.size
            self._house.keep_positions()

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
