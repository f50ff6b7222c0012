"""Answers compared with the known-good model's, by part of the traffic, over all versions and within each new one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from andon.base.predicate import at_least, below
from andon.detect.builtin import marks_of
from andon.detect.exposure import decisions_moved
from andon.detect.finding import Slice
from andon.detect.history import Entries, History
from andon.detect.mark import EFFECT_MEDIUM, Exposure, Mark, MarkSeries, Side
from andon.detect.planning import CHANGED, PREDICTION, VERSION, Watched, cut_coding, slice_coding
from andon.detect.versions import new_versions
from andon.telemetry.plan import CategoryCoding, Cube, NumberCoding
from andon.telemetry.summary import Int64

Float = npt.NDArray[np.float64]

CHANGED_ROWS_MIN = 10
"""Fewest changed decisions in a window: each is worth many rows, and the test's tail holds for so few."""
PRIOR_ROWS = 120.0
"""Changed decisions of all traffic that a slice's own are given as baseline: as many as the smallest usual baseline."""
CUTS_TESTED = 8
"""A number is cut at about so many places, equal shares of the reference apart; where exactly is found out later."""
ABOVE, BELOW = 1, 2
"""A score far above, far below the expected one: see `Surrogate`."""


@dataclass(frozen=True)
class Part:
    """A part of the traffic: which codes of its column belong to it."""

    place: Slice
    inside: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """The answers in the parts of one column, of all versions or of one since its first bucket."""

    version: str | None
    first: int | None
    parts: tuple[Part, ...]
    log: "_Told"
    reference: "_Told"
    declared: bool
    _exposures: dict[int, Exposure] = field(default_factory=dict, init=False, repr=False, compare=False)

    def changed(self, watched: Watched, answer: int) -> MarkSeries:
        """Decisions that became of a class, among those that became or ceased to be of it."""
        what = f"{_answer(watched, answer)} where the known-good model would decide otherwise, rather than the reverse"
        became, either = _became(answer), _became_or_ceased(answer)
        log, rest = self._sides(self.log, became, either)
        reference, reference_rest = self._sides(self.reference, became, either)
        return MarkSeries(
            tuple(self._mark(watched, part, answer, what) for part in self.parts),
            log,
            reference,
            rest,
            reference_rest,
            exposure=self._exposure(watched, answer),
            prior=PRIOR_ROWS,
            frozen=self.first,
            rows_min=CHANGED_ROWS_MIN,
            declared=self.declared,
        )

    def matters(self, watched: Watched, answer: int) -> bool:
        """Whether decisions (answers that are numbers: to one side) moved enough anywhere: else nothing is to test."""
        return decisions_moved(self._exposure(watched, answer))

    def shifted(self, watched: Watched, far: int) -> MarkSeries:
        """Scores, or answers that are numbers, far above or far below the expected ones, among all rows."""
        column, numeric = watched.codings[watched.scored].column, watched.scored == PREDICTION
        what = f"{column} is far {'above' if far == ABOVE else 'below'} what the known-good model would give"
        log, rest = self._sides(self.log, _away(far), _every)
        reference, reference_rest = self._sides(self.reference, _away(far), _every)
        marks = [replace(self._mark(watched, part, far, what), rescaled_min=EFFECT_MEDIUM) for part in self.parts]
        if numeric:
            marks = [replace(mark, effect_min=EFFECT_MEDIUM, witness=True) for mark in marks]
        exposure = self._exposure(watched, ABOVE if numeric else 1)
        return MarkSeries(
            tuple(marks),
            log,
            reference,
            rest,
            reference_rest,
            exposure=exposure,
            frozen=self.first,
            declared=self.declared,
        )

    def leaning(self, watched: Watched) -> tuple[MarkSeries, MarkSeries]:
        """Answers on the one side and on the other: scores above and below, or decisions that became and ceased."""
        surrogate = watched.surrogate
        if surrogate is not None and surrogate.scores is not None:
            return self.shifted(watched, ABOVE), self.shifted(watched, BELOW)
        return self._share(watched, _became(1)), self._share(watched, _ceased(1))

    def _share(self, watched: Watched, which: "_Which") -> MarkSeries:
        log, rest = self._sides(self.log, which, _every)
        reference, reference_rest = self._sides(self.reference, which, _every)
        marks = tuple(self._mark(watched, part, 1, "decisions changed") for part in self.parts)
        return MarkSeries(marks, log, reference, rest, reference_rest)

    def _exposure(self, watched: Watched, answer: int) -> Exposure:
        if answer not in self._exposures:
            self._exposures[answer] = self._exposed(watched, answer)
        return self._exposures[answer]

    def _exposed(self, watched: Watched, answer: int) -> Exposure:
        became, either = _became(answer), _became_or_ceased(answer)
        if watched.scored == PREDICTION:  # an equally good retrain scatters numbers to both sides
            became, either = _away(ABOVE), _anywhere_far
        changed, rest_changed = self._sides(self.log, became, either)
        usual, _ = self._sides(self.reference, became, either)
        rows, rest_rows = self._sides(self.log, _every, _every)
        usual_rows, _ = self._sides(self.reference, _every, _every)
        net = (2 * usual.count - usual.total).sum(axis=1) / np.maximum(usual_rows.total.sum(axis=1), 1)
        return Exposure(rows.total, rest_rows.total, changed, rest_changed, net)

    def _sides(self, told: "_Told", carries: "_Which", among: "_Which") -> tuple[Side, Side]:
        """Counts in the parts and in the rest of the traffic."""
        table = np.array([part.inside for part in self.parts], dtype=np.float64)
        count, total = (told.laid_out(which) for which in (carries, among))
        inside, rest = ([(each @ rows).astype(np.int64) for rows in (count, total)] for each in (table, 1 - table))
        return Side(*inside), Side(*rest)

    def _mark(self, watched: Watched, part: Part, code: int, what: str) -> Mark:
        place = part.place
        if self.version is not None:
            place = watched.version_slice(self.version) & place
        return Mark(PREDICTION, (code,), what, (), None, place, self.version)


def cubes(watched: Watched) -> tuple[Cube, ...]:
    """The counts that views are made of; none without a surrogate."""
    if watched.surrogate is None:
        return ()
    return tuple(Cube((*_version(watched), name, CHANGED)) for name in _columns(watched))


def views(watched: Watched, history: History) -> Iterator[View]:
    """Every view: of each column, over all versions and within each new one."""
    if watched.surrogate is not None:
        for name in _columns(watched):
            yield from views_by(watched, history, name)


def views_by(watched: Watched, history: History, name: str, *, finely: bool = False) -> Iterator[View]:
    """The views by one coding; a number is cut at a few of its edges, or at all."""
    columns = (*_version(watched), name, CHANGED)
    log, reference = history.entries(*columns), history.reference_entries(*columns)
    size = history.plan.codings[name].size
    rows = np.bincount(reference.codes[-2], weights=reference.counts, minlength=size).astype(np.float64)
    parts = tuple(parts_by(watched, name, rows, finely=finely))
    if parts:
        known = _Told.of(watched, reference, size)
        for version, first, seen in _versions(watched, history, log):
            yield View(version, first, parts, _Told.of(watched, seen, size), known, watched.is_declared((name,)))


def _version(watched: Watched) -> tuple[str, ...]:
    return (VERSION,) if VERSION in watched.codings else ()


def _columns(watched: Watched) -> tuple[str, ...]:
    """The codings by which traffic is cut."""
    return (
        *(slice_coding(column) for column in (*watched.slices, *watched.found)),
        *(cut_coding(column) for column in watched.cuts),
    )


def parts_by(watched: Watched, name: str, reference: Float, *, finely: bool = False) -> list[Part]:
    """The parts of the traffic that a coding cuts: each value, or the smaller side of some (all) edges of a number.

    `reference` holds the reference's rows by code.
    """
    coding = watched.codings[name]
    if isinstance(coding, CategoryCoding):
        values, codes = range(len(coding.values)), np.arange(coding.size)
        return [Part(marks_of.slice_of(coding, value), codes == value) for value in values]
    assert isinstance(coding, NumberCoding)  # noqa: S101  # a column is cut by value or by order
    if finely:
        return [part for edge in range(len(coding.edges)) for part in halves(coding, edge)]
    return [
        min(halves(coding, edge), key=lambda part: reference[part.inside].sum()) for edge in _edges(coding, reference)
    ]


def halves(coding: NumberCoding, edge: int) -> tuple[Part, Part]:
    """The traffic below an edge, and at or above it: one is a slice, the other its rest."""
    codes, column, value = np.arange(coding.size), coding.column, coding.edges[edge]
    return (
        Part(Slice(below(column, value), (column,)), codes <= edge),
        Part(Slice(at_least(column, value), (column,)), (codes > edge) & (codes < coding.bins)),
    )


def _edges(coding: NumberCoding, reference: Float) -> list[int]:
    """Some edges about equal shares of the reference apart."""
    share = np.cumsum(reference[: coding.bins])[:-1] / max(reference[: coding.bins].sum(), 1)
    wanted = np.arange(1, CUTS_TESTED + 1) / (CUTS_TESTED + 1)
    return sorted({int(np.argmin(np.abs(share - each))) for each in wanted})


def _versions(watched: Watched, history: History, log: Entries) -> Iterator[tuple[str | None, int | None, Entries]]:
    """All versions, then each version that the reference does not have: its rows, and all rows before its first."""
    yield None, None, log
    for code, (name, first) in new_versions(watched, history).items():
        seen = (log.time < first) | (log.codes[0] == code)
        yield name, first, Entries(log.time[seen], log.codes[:, seen], log.counts[seen], log.length)


def answers(watched: Watched) -> Sequence[int]:
    """The classes towards which decisions may move; of two classes one says all."""
    coding = watched.codings.get(PREDICTION)
    classes = range(len(coding.values)) if isinstance(coding, CategoryCoding) else range(0)
    return classes if len(classes) > 2 else classes[1:]  # noqa: PLR2004


_Which = Callable[[Int64, Int64, Int64], npt.NDArray[np.bool_]]
"""Chooses entries by what `Surrogate.parts` says of them."""


def _became(answer: int) -> _Which:
    return lambda _expected, given, _far: given == answer


def _ceased(answer: int) -> _Which:
    return lambda expected, _given, _far: expected == answer


def _became_or_ceased(answer: int) -> _Which:
    return lambda expected, given, _far: (given == answer) | (expected == answer)


def _away(far: int) -> _Which:
    return lambda _expected, _given, away: away == far


def _anywhere_far(_expected: Int64, _given: Int64, away: Int64) -> npt.NDArray[np.bool_]:
    return away > 0


def _every(expected: Int64, _given: Int64, _far: Int64) -> npt.NDArray[np.bool_]:
    return np.ones(len(expected), dtype=np.bool_)


@dataclass(frozen=True)
class _Told:
    """Entries by code of the slice column and time, with what the surrogate says of each.

    Attributes:
        flat: the place of each in `(time, codes)`.
        counts: rows of each.
        said: expected and given answer and how far off, of each (`Surrogate.parts`).
        shape: buckets and codes.
    """

    flat: Int64
    counts: Int64
    said: tuple[Int64, Int64, Int64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, watched: Watched, entries: Entries, width: int) -> "_Told":
        assert watched.surrogate is not None  # noqa: S101  # there is no view without one
        flat = entries.time * width + entries.codes[-2]
        return cls(flat, entries.counts, watched.surrogate.parts(entries.codes[-1]), (entries.length, width))

    def laid_out(self, which: "_Which") -> Float:
        """Rows of some entries, `(codes, T)`: whole numbers of floating point, whose products are faster."""
        chosen = which(*self.said)
        flat, counts = (self.flat, self.counts) if chosen.all() else (self.flat[chosen], self.counts[chosen])
        rows = np.bincount(flat, weights=counts.astype(np.float64), minlength=self.shape[0] * self.shape[1])
        return rows.astype(np.float64, copy=False).reshape(self.shape).T


def _answer(watched: Watched, answer: int) -> str:
    coding = watched.codings[PREDICTION]
    assert isinstance(coding, CategoryCoding)  # noqa: S101  # the surrogate answers in classes
    return f"{coding.column} is {coding.values[answer]!r}"
