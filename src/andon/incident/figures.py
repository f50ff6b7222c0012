"""The figures behind the pictures of a scan: counts and shares, each with its denominator."""

from dataclasses import dataclass

from andon.base.interval import Interval
from andon.base.share import Share


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a course: the affected part of the traffic and the rest; `inside` the failure's span or not."""

    at: Interval
    inside: bool
    part: Share
    rest: Share


@dataclass(frozen=True, slots=True)
class Course:
    """A measure over time: what is counted, the points, and the shares that the reference had."""

    what: str
    points: tuple[Point, ...]
    usual: Share
    usual_rest: Share


@dataclass(frozen=True, slots=True)
class Contrast:
    """A measure in the affected part or in the rest: in the reference, and during the failure (or in the whole log).

    With a `value` it is the measure of the rows that have this value of the column that the slice names.
    """

    what: str
    is_rest: bool
    before: Share
    during: Share
    value: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """A numeric column in equal bins: `edges` has one more entry than `before` and `during`.

    Values beyond the edges count in the first and the last bin; `has_below` says that some lie below. With `values`,
    each bin is one value and there are no edges. Medians are exact for `values`, else the middle of a bin of a tenth
    of the width that is drawn. With `is_whole` there are whole numbers only: edges stand between them, unless `is_log`
    each bin holds as many as the next, and a median is one of them or halfway between two.
    """

    edges: tuple[float, ...]
    values: tuple[float, ...]
    is_log: bool
    before: tuple[int, ...]
    during: tuple[int, ...]
    median_before: float | None
    median_during: float | None
    has_below: bool = False
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """A category: each value's share in the reference and during the failure, what changed most first.

    A label of None stands for all values that the reference does not have; `names` gives some of them. `more` values
    were left out.
    """

    shares: tuple[tuple[str | None, Share, Share], ...]
    names: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a column was spread in the reference, and how during the failure (in the affected part).

    Attributes:
        column: its name; `is_answer` says that it is what the model answered.
        moved: whether the incident names it among what moved.
        shape: the bins or values; None for a column of which only absence is counted.
        empty_before, empty_during: rows without a usable value (null, NaN, infinite).
        distance: Jensen-Shannon distance of the usable values, base 2, 0 (alike) to 1; None where either has no rows.
    """

    column: str
    is_answer: bool
    moved: bool
    shape: Bars | Values | None
    empty_before: Share
    empty_during: Share
    distance: float | None

    @property
    def n_before(self) -> int:
        """Usable values in the reference."""
        return self.empty_before.of - self.empty_before.hits

    @property
    def n_during(self) -> int:
        """Usable values during the failure."""
        return self.empty_during.of - self.empty_during.hits


@dataclass(frozen=True, slots=True)
class Figures:
    """What the pictures of one incident show (or, for a quiet log, of all of it).

    Attributes:
        courses: over time; the first is what the incident is about.
        contrasts: the affected part against the rest.
        by_value: the first measure for each value of the column that the slice names, with that column.
        distributions: what moved, the answer, and a few columns that did not move.
        since: rows decided within the failure's span.
        in_part: those of them in the slice.
        traffic: rows per step of time.
    """

    courses: tuple[Course, ...]
    contrasts: tuple[Contrast, ...]
    by_value: tuple[Contrast, ...]
    by_column: str | None
    distributions: tuple[Distribution, ...]
    since: int
    in_part: int
    traffic: tuple[tuple[Interval, int], ...]


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """The figures of a scan: of each incident in order (None beyond the first few), and of the log as a whole."""

    reference_rows: int
    reference_period: Interval
    incidents: tuple[Figures | None, ...]
    whole: Figures | None
