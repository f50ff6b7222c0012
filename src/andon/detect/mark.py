"""Marks: a property that a row has or has not, counted over time. Every detector turns its question into marks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from andon.base.predicate import known_where
from andon.detect.finding import Slice
from andon.detect.history import Rest, Triangle
from andon.telemetry.summary import Whole

Float = npt.NDArray[np.float64]

EFFECT_MIN = 0.2
"""Cohen's h below which a shift is negligible in practice: his "small" effect."""
EFFECT_MEDIUM = 0.5
"""His "medium" effect: the least that counts for what does no harm by itself."""
ROWS_MIN = 30
"""Fewest rows that could carry a mark for a share of them to mean something."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One property of rows.

    Attributes:
        coding: the name of the coding whose codes say whether a row carries it.
        codes: the codes that carry it.
        what: a phrase for people, e.g. "pay_0 is null".
        features: the columns whose values the property is about.
        predicate: SQL over the log's own columns that is true for rows with the mark; None if no column shows it.
        slice: the part of the traffic it is counted in; None means all of it.
        version: the version of the model among whose decisions it is counted (the slice says so too); None: all.
        among_all: whether every row could carry it, or only rows with a usable value (no null, NaN or infinity).
        rare: whether the mark itself singles out the rows concerned (a null, a value unlike all that the reference
            has), so that only rows that carry it are affected; else every row of the slice is.
        effect_min: Cohen's h below which a shift is negligible.
        only_rises: whether a falling share is good news, and never raised.
        witness: whether it opens no incident by itself, and only adds to one that something else opens.
        rescaled_min: Cohen's h below which a shift that began with a new version opens no incident: an equally good
            version scales its scores anew.
        good_falls: whether a falling share is good news, which opens no incident.
        of: SQL that is true for the rows of which it is a share, as recall is of those that are positive; None: of all.
    """

    coding: str
    codes: tuple[int, ...]
    what: str
    features: tuple[str, ...]
    predicate: str | None
    slice: Slice | None = None
    version: str | None = None
    among_all: bool = False
    rare: bool = False
    effect_min: float = EFFECT_MIN
    only_rises: bool = False
    witness: bool = False
    rescaled_min: float = 0.0
    good_falls: bool = False
    of: str | None = None

    @property
    def shown(self) -> str | None:
        """The predicate, null for rows of which it is no share."""
        if self.predicate is None or self.of is None:
            return self.predicate
        return known_where(self.predicate, self.of)


@dataclass(frozen=True)
class Side:
    """Counts of S marks over T buckets: rows with the mark, and rows that could have had it. Both `(S, T)`.

    A count holds fractions where rows carry a mark with a known probability only: what is expected of them.
    """

    count: Whole | Float
    total: Whole | Float

    def of(self, marks: slice) -> "Side":
        """The counts of some of the marks."""
        return Side(self.count[marks], self.total[marks])

    def __sub__(self, part: "Side") -> "Side":
        return Side(self.count - part.count, self.total - part.total)

    @classmethod
    def stacked(cls, each: Sequence["Side"]) -> "Side":
        """The counts of one mark each, `(T,)`, as those of several."""
        return cls(np.array([side.count for side in each]), np.array([side.total for side in each]))


@dataclass(frozen=True)
class MarkSeries:
    """Marks of one family and their counts, in the log and in the reference.

    Attributes:
        marks: the S marks.
        log, reference: the counts in the slice (all traffic for marks without a slice).
        late: for marks that only a label shows, what is needed to count them by decision instead of arrival.
        alike: whether the family pools its usual wander; values that nobody knew beforehand must not, or what is found
            early would depend on which of them turn up later.
        rest, reference_rest: the control, which cancels what moves it too: for a slice the rest of the traffic, for an
            outcome what was expected of the same rows; None for marks that have none.
        exposure: for marks of decisions that differ from the expected ones, the rows among which they are: a shift that
            concerns few of them is negligible.
        prior: so many rows at the level of all traffic count with every baseline of a slice: a slice of which little is
            known is taken to be like the rest (a beta prior, centred on the traffic).
        frozen: the bucket from which on everything is compared with what was before it (a version is compared with what
            was before its first row, however long it runs); None where the baseline ends where the window begins.
        rows_min: fewest rows in a window, and in each baseline 4 times as many.
        declared: whether the slices, if any, are by one column each that was declared as a slice.
        within: for slices of two columns, what else is in the slice of each column, in the log and the reference: a
            jump must show against each, or the slice of one column says as much.
    """

    marks: tuple[Mark, ...]
    log: Side
    reference: Side
    rest: Side | None = None
    reference_rest: Side | None = None
    late: tuple["Late", ...] = ()
    alike: bool = True
    exposure: "Exposure | None" = None
    prior: float = 0.0
    frozen: int | None = None
    rows_min: int = ROWS_MIN
    declared: bool = True
    within: tuple[tuple[Side, Side], ...] = ()

    def parts(self, most: int) -> Iterator["MarkSeries"]:
        """Families of up to so many of the marks, in their order."""
        for first in range(0, len(self.marks), most):
            some = slice(first, first + most)
            rest, reference_rest = (
                None if each is None else each.of(some) for each in (self.rest, self.reference_rest)
            )
            yield replace(
                self,
                marks=self.marks[some],
                log=self.log.of(some),
                reference=self.reference.of(some),
                late=self.late[some],
                rest=rest,
                reference_rest=reference_rest,
                exposure=None if self.exposure is None else self.exposure.of(some),
                within=tuple((log.of(some), reference.of(some)) for log, reference in self.within),
            )


@dataclass(frozen=True)
class Exposure:
    """What marks of changed answers rest on: the rows of S slices and of the rest, and how their decisions changed.

    Attributes:
        rows, rest_rows: all rows: `(S, T)`.
        changed, rest_changed: of the decisions that differ from the expected ones, those that became of a class (count)
            and those that became or ceased to be of it (total).
        usual: net share of decisions that became of the class, in the reference, `(S,)`.
    """

    rows: Whole | Float
    rest_rows: Whole | Float
    changed: Side
    rest_changed: Side
    usual: Float

    def of(self, marks: slice) -> "Exposure":
        """Those of some of the marks."""
        changed, rest_changed = self.changed.of(marks), self.rest_changed.of(marks)
        return Exposure(self.rows[marks], self.rest_rows[marks], changed, rest_changed, self.usual[marks])


@dataclass(frozen=True)
class Late:
    """A mark's rows by decision and by when it was known: with the mark, all, and the same in the rest of the traffic.

    Their labels have arrived; where `missing`, the rows with the mark are those whose label has not.
    """

    count: Triangle
    total: Triangle
    rest_count: Triangle | Rest | None = None
    rest_total: Triangle | Rest | None = None
    missing: bool = False
