"""A log, its reference and its model file, as every peer needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from quality_peers.windows import Least, Window, choose, cut, judged

MATURE = 0.9
"""The performance of a window is known once so many of the labels that are to come have come."""
LABELS_MIN = 30


@dataclass(frozen=True)
class Case:
    """What is to be watched; both tables are in the order of time.

    Attributes:
        model: the model file.
        period: the length of windows, `D`, `W`, `M` or `Q`.
    """

    model: Mapping[str, Any]
    log: pa.Table
    reference: pa.Table
    period: str

    @property
    def time(self) -> str:
        return str(self.model["time_column"])

    @property
    def label(self) -> str:
        return str(self.model["label_column"])

    @property
    def score(self) -> str | None:
        return self.model.get("score_column")

    @property
    def prediction(self) -> str:
        return str(self.model["prediction_column"])

    @property
    def regression(self) -> bool:
        return not self.score

    @cached_property
    def watched(self) -> list[str]:
        """Features that both tables have, and the score."""
        both = set(self.log.column_names) & set(self.reference.column_names)
        return [name for name in (*self.model["features"], self.score) if name in both]

    @cached_property
    def categories(self) -> list[str]:
        """The watched columns of text."""
        return [name for name in self.watched if is_text(self.reference.schema.field(name).type)]

    @cached_property
    def numbers(self) -> list[str]:
        """The other watched columns."""
        return [name for name in self.watched if name not in self.categories]

    @cached_property
    def known_values(self) -> dict[str, list[str]]:
        """The values of each category in the reference."""
        columns = {name: set(self.reference[name].to_pylist()) - {None} for name in self.categories}
        return {name: sorted(values) for name, values in columns.items()}

    @cached_property
    def times(self) -> list[datetime]:
        return self.log[self.time].to_pylist()

    @cached_property
    def windows(self) -> list[Window]:
        """The windows with enough rows."""
        return judged(*cut(self.times, self.period))

    @cached_property
    def labels_known_at(self) -> dict[Window, datetime]:
        """When nine tenths of a window's labels had come; windows of which they never came in this log are left out."""
        column = self.model.get("label_time_column")
        arrived = self.log[column].to_pylist() if column else self.times
        share = MATURE * float(self.model.get("labelled_fraction") or 1.0)
        found = {}
        for window in self.windows:
            rows = [i for i, t in enumerate(self.times) if window.start <= t < window.end]
            known = sorted(arrived[i] for i in rows if self.labels[i] is not None and arrived[i] is not None)
            need = max(int(share * len(rows)), LABELS_MIN)
            if len(known) >= need:
                found[window] = max(window.end, known[need - 1])
        return found

    @cached_property
    def labels(self) -> list[Any]:
        return self.log[self.label].to_pylist()


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds names rather than numbers."""
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def read(log: Path, reference: Path, model: Path, least: Least) -> Case:
    """Read a case; `least` is what its windows have to hold."""
    declared = yaml.safe_load(model.read_text(encoding="utf-8"))
    time = declared["time_column"]
    tables = [_in_order(pq.read_table(path), time) for path in (log, reference)]
    times: list[Sequence[datetime]] = [table[time].to_pylist() for table in tables]
    return Case(declared, tables[0], tables[1], choose(times[0], times[1], least))


def _in_order(table: pa.Table, time: str) -> pa.Table:
    at = table.schema.get_field_index(time)
    plain = table.set_column(at, time, table[time].cast(pa.timestamp("us"), safe=False))
    return plain.sort_by(time)
