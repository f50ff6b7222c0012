"""The columns of a log and their logical types."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class LogicalType(StrEnum):
    """What a column holds, whatever the file stores it as: an integer column turned float for its nulls is the same."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LogSchema:
    """Columns in the order of the log, with their logical types."""

    types: dict[str, LogicalType]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.types)

    def is_alike(self, other: "LogSchema", columns: Iterable[str]) -> bool:
        """Whether columns are of one kind in both: else text may have counted as no number, though it is not null."""
        return all(self.types.get(each) is other.types.get(each) for each in columns)
