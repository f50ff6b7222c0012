"""Tables as a fold of a journal: what a posting says, and what it changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry as a fold reads it; an erased text reads `erased`."""

    kind: str
    stream: str
    at: str
    actor: str
    data: Mapping[str, Any]
    private: Mapping[str, str]
    seq: int = 0
    """Its number in the journal."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row of a table as it stands after a posting: the values given are set, others stay."""

    table: str
    key: str
    values: Mapping[str, Any]


Fold = Callable[[Posting], Sequence[Change]]
"""What one kind of posting does to the tables; it reads nothing but the posting."""

State = dict[tuple[str, str], dict[str, Any]]
"""The tables: (table, key) to the values."""


def apply(state: State, changes: Sequence[Change]) -> None:
    """Carry changes out on tables in memory."""
    for change in changes:
        state.setdefault((change.table, change.key), {}).update(change.values)
