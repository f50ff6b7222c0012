"""Names of streams that will begin, with their keys made ahead: many keys cost one fsync."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

LEAST: Final = 16
MOST: Final = 1_024


class Keys(Protocol):
    """Makes keys, durable together, and remembers them until they are used."""

    def make_ahead(self, names: Sequence[str]) -> None: ...


class ReadyNames:
    """Twice as many as were taken between the last two fillings; who takes more gets a name without a key.

    A name that is never used leaves a key that nothing needs.
    """

    def __init__(self, keys: Keys, make_name: Callable[[], str]) -> None:
        self._keys, self._make_name = keys, make_name
        self._ready: deque[str] = deque()
        self._taken = 0

    def take(self) -> str:
        """A name that was never given before."""
        self._taken += 1
        try:
            return self._ready.popleft()
        except IndexError:
            return self._make_name()

    def fill(self) -> None:
        """Make keys for as many as will be taken.

        Raises:
            Unavailable: the keys cannot be written.
        """
        wanted, self._taken = min(max(LEAST, 2 * self._taken), MOST), 0
        missing = wanted - len(self._ready)
        if 2 * missing > wanted:
            names = [self._make_name() for _ in range(missing)]
            self._keys.make_ahead(names)
            self._ready.extend(names)
