"""How far each producer has come, so that what is sent again is not recorded twice."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from andon.ledger.entry import Entry

KEPT: Final = 256


class _Place(msgspec.Struct, frozen=True, gc=False):
    producer: str = ""
    pseq: int = -1


_PLACE: Final = msgspec.json.Decoder(_Place)


class Producers:
    """The next number of each producer, by the entries; the last 256 producers are known."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        self._next = dict(known or {})

    def position(self, producer: str) -> int:
        """How many events of a producer are recorded."""
        return self._next.get(producer, 0)

    def note(self, entries: Iterable[Entry]) -> None:
        """Take in entries that became durable."""
        for entry in entries:
            if b'"producer":"' in entry.header:
                place = _PLACE.decode(entry.header)
                self._next.pop(place.producer, None)  # the last one is the newest
                self._next[place.producer] = place.pseq + 1

    def known(self) -> dict[str, int]:
        """What a note keeps."""
        return dict(list(self._next.items())[-KEPT:])
