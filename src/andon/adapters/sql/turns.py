"""Turns: who writes next in this process, and who shares a transaction with whom."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

SHARED_MAX: Final = 64
Asked = TypeVar("Asked")
Done = TypeVar("Done")


class Turns:
    """Who writes next, first come, first served.

    SQLite lets one write; others it lets sleep and look again, up to 100 ms each time, whoever came first. Those of one
    process wait here instead, before they take a connection.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False

    def __enter__(self) -> None:
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return
            gate = threading.Event()
            self._waiting.append(gate)
        gate.wait()

    def __exit__(self, *_: object) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Asked, Done]):
    asked: Asked
    gate: threading.Event = field(default_factory=threading.Event)
    done: Done | Exception | None = None

    def result(self) -> Done:
        if isinstance(self.done, Exception):
            raise self.done
        assert self.done is not None  # noqa: S101  # whoever led has said what came of it
        return self.done


class Shared(Generic[Asked, Done]):
    """What waits for its turn is carried out together: the first who waits does it for all, one fsync instead of many.

    `carry_out` says of each what came of it, in order, once all of it is durable; it never raises.
    """

    def __init__(self, carry_out: Callable[[Sequence[Asked]], Sequence[Done | Exception]], turns: Turns) -> None:
        self._carry_out = carry_out
        self._turns = turns
        self._mutex = threading.Lock()
        self._waiting: deque[_Waiting[Asked, Done]] = deque()
        self._is_led = False

    def do(self, asked: Asked) -> Done:
        """What came of it, after it is durable; raises what it raised."""
        mine: _Waiting[Asked, Done] = _Waiting(asked)
        with self._mutex:
            leads, self._is_led = not self._is_led, True
            self._waiting.append(mine)
        if not leads:
            mine.gate.wait()
        if mine.done is None:
            self._lead()
        return mine.result()

    def _lead(self) -> None:
        """Carry out what waits, the own first, and hand on to the next."""
        group: list[_Waiting[Asked, Done]] = []
        try:
            with self._turns:
                with self._mutex:  # only now: more came while others had the turn
                    group = [self._waiting.popleft() for _ in range(min(SHARED_MAX, len(self._waiting)))]
                outcomes = self._carry_out([each.asked for each in group])
            for each, outcome in zip(group, outcomes, strict=True):
                each.done = outcome
        finally:
            for each in group:
                each.done = RuntimeError("whoever carried it out was ended") if each.done is None else each.done
                each.gate.set()
            with self._mutex:
                self._is_led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].gate.set()
