"""Commands of requests wait here, and all that wait are done in one transaction, by one thread."""

import logging
from collections.abc import Sequence
from typing import Final

from andon.bootstrap.house import House
from andon.interfaces.api.waiting import WaitingRoom
from andon.ledger.journal import Command, Committed

LOGGER: Final = logging.getLogger("andon.server")
TOGETHER_MAX: Final = 64


class Commits:
    """One thread commits.

    A thread for each request costs several changes of thread for each, and these wait for the interpreter.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self.room = WaitingRoom[Command, Committed]("commits", self._work, house.settings.limits.pending_bytes_max)

    async def do(self, command: Command, size: int) -> Committed:
        """What came of a command, once it is durable; raises what it raised.

        Raises:
            Busy: too much waits already, or the server ends.
        """
        self.room.require_room(size)
        return await self.room.ask(command, size)

    def _work(self) -> None:
        while group := self.room.take(TOGETHER_MAX, lambda _: 1):
            self.room.tell(group, self._done([each.asked for each in group]))

    def _done(self, commands: Sequence[Command]) -> Sequence[Committed | Exception]:
        try:
            return self._house.opened.journal.commit_all(commands)
        except Exception as error:  # noqa: BLE001  # the worker's loop: else every later request would wait for ever
            LOGGER.error("commits: %s", type(error).__name__)  # noqa: TRY400  # its text may hold data
            return [error] * len(commands)
