"""Illustrating: the figures behind the pictures of a scan, counted in one pass over time and one over values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from andon.base import predicate
from andon.base.errors import BadInput
from andon.base.interval import Grid, Interval
from andon.detect.builtin.error_rate import alike
from andon.detect.history import History
from andon.detect.planning import ANSWERS_MAX, SLICE_VALUES_MAX, feature_coding
from andon.incident.course import Buckets, measured, step_of
from andon.incident.figures import Contrast, Course, Distribution, Figures, ScanFigures
from andon.incident.scan import DetectedIncident, Scan
from andon.incident.spread import Axis, Counted, axis, distribution
from andon.inventory.model import Model, Problem
from andon.telemetry.plan import CategoryCoding, Coding, Cube, NumberCoding, Plan, PredicateCoding
from andon.telemetry.schema import LogicalType
from andon.telemetry.source import LogSource
from andon.telemetry.summary import Int64

INCIDENTS_MAX: Final = 6
"""Incidents with pictures; the further ones are told in words."""
MOVED_MAX: Final = 5
STILL_MAX: Final = 2
"""Columns shown for comparison: those that moved least …"""
STILL_TRIED: Final = 6
"""… of so many."""
COLUMNS_MAX: Final = 12
"""Columns shown of a quiet log."""
ANSWERS_SHOWN: Final = 4
VALUES_MAX: Final = 8
WRONG: Final = "the prediction is wrong"
EVER: Final = timedelta(days=36_525)


Progress = Callable[[str, int, int], None]
"""Told `(phase, done, in all)` now and then."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be illustrated: a scan, the rows it was made of, and the time at which its replay ended."""

    log: LogSource
    reference: LogSource
    model: Model
    scan: Scan
    now: datetime


@dataclass(frozen=True)
class _Scene:
    """One incident (or the whole log) as predicates: which part, which span, which measures."""

    key: str
    place: str | None
    span: Interval
    measures: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    moved: frozenset[str]
    by: CategoryCoding | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Names of the codings of place and span."""
        return f"{self.key}\x1fplace", f"{self.key}\x1fspan"

    @property
    def cut(self) -> tuple[str, str, str, str]:
        """Names of the codings of the cube by the values of the slice's column."""
        return (f"{self.key}\x1fby", *self.names, self.measure(0))

    def measure(self, number: int) -> str:
        """Name of the coding of a measure."""
        return f"{self.key}\x1fmeasure{number}"


@dataclass
class _Columns:
    """The codings of the columns that are shown, made once; `classes` of a column that holds one of few."""

    log: LogSource
    reference: LogSource
    classes: dict[str, tuple[str, ...]]
    codings: dict[str, Coding] = field(default_factory=dict)
    axes: dict[str, Axis] = field(default_factory=dict)

    def add(self, column: str) -> None:
        """Make the coding of a column from its values in the log and in the reference."""
        if column in self.codings:
            return
        kind = self.reference.schema().types[column]
        if column in self.classes:
            self.codings[column] = CategoryCoding(column, self.classes[column])
        elif kind is LogicalType.NUMBER:
            self.axes[column] = axis(self.reference.profile_number(column), self.log.profile_number(column))
            self.codings[column] = self.axes[column].coding(column)
        else:
            self.codings[column] = feature_coding(self.reference, column, kind)


class Illustrate:
    """Counts what the pictures of a scan show."""

    def draw(self, subject: Subject, progress: Progress | None = None) -> ScanFigures:
        """The figures of every incident, or of the whole log where there is none."""
        if progress is not None:
            progress("drawing", 0, 0)
        reference = subject.reference
        whole = _whole(subject)
        scenes = [whole] if whole is not None else list(_scenes(subject))
        shown = [scene for scene in scenes if scene is not None]
        drawing = _Drawing(subject, shown) if shown else None
        drawn = [None if drawing is None or scene is None else drawing.figures(scene) for scene in scenes]
        if whole is not None:
            return ScanFigures(reference.rows(), reference.period(), (), drawn[0])
        return ScanFigures(reference.rows(), reference.period(), tuple(drawn), None)


def _whole(subject: Subject) -> _Scene | None:
    """The log as a whole, where it holds no incident."""
    scan = subject.scan
    if scan.incidents or not scan.rows:
        return None
    columns = tuple(name for name in subject.model.features if name in _known(subject))[:COLUMNS_MAX]
    return _Scene("whole", None, scan.period, _answers(subject), _with_answer(subject, columns), frozenset())


def _scenes(subject: Subject) -> Iterator[_Scene | None]:
    """One scene for each incident; none beyond the first few, or of a part that the reference cannot tell."""
    answers = _answers(subject)
    for number, incident in enumerate(subject.scan.incidents):
        told = incident.slice is None or _is_answerable(subject, incident.slice.predicate)
        yield _scene(subject, incident, f"incident{number}", answers) if told and number < INCIDENTS_MAX else None


def _scene(subject: Subject, incident: DetectedIncident, key: str, answers: tuple[tuple[str, str], ...]) -> _Scene:
    lead = incident.findings[0] if incident.findings else None
    measures = list(answers)
    schemas = subject.log.schema(), subject.reference.schema()
    if lead is not None and lead.mark is not None and schemas[0].is_alike(schemas[1], lead.features):
        measures = [(lead.what, lead.mark), *(each for each in answers if each[1] != lead.mark)]
    wrong = _wrong(subject)
    if wrong is not None and wrong[1] not in [where for _, where in measures]:
        measures.append(wrong)
    known = _known(subject)
    moved = [name for name in incident.changed.features if name in known][:MOVED_MAX]
    still = [name for name in subject.model.features if name in known and name not in incident.changed.features]
    end = incident.ended_at or subject.scan.period.end
    part = incident.slice
    return _Scene(
        key=key,
        place=None if part is None else part.predicate,
        span=Interval(incident.started_at, max(end, incident.started_at)),
        measures=tuple(each for each in measures if _is_answerable(subject, each[1])),
        columns=_with_answer(subject, (*moved, *still[:STILL_TRIED])),
        moved=frozenset(moved),
        by=_by(subject, part.columns[0]) if part is not None and len(part.columns) == 1 else None,
    )


def _known(subject: Subject) -> set[str]:
    return set(subject.reference.schema().names)


def _with_answer(subject: Subject, columns: Sequence[str]) -> tuple[str, ...]:
    answer = subject.model.columns.prediction
    named = (*columns, answer) if answer is not None and answer in _known(subject) else tuple(columns)
    return tuple(dict.fromkeys(named))


def _classes(subject: Subject, column: str | None) -> tuple[str, ...]:
    """The values of a column that holds one of few classes, most frequent first; none for a number on a scale."""
    if column is None or column not in _known(subject):
        return ()
    kind = subject.reference.schema().types[column]
    profile = subject.reference.profile_category(column)
    most = SLICE_VALUES_MAX if kind is LogicalType.NUMBER else ANSWERS_MAX
    few = kind in {LogicalType.NUMBER, LogicalType.TEXT, LogicalType.BOOLEAN} and profile.distinct <= most
    return tuple(value for value, _ in profile.values) if few else ()


def _answers(subject: Subject) -> tuple[tuple[str, str], ...]:
    """For each frequent class of the answer: a phrase, and its predicate. Of two classes one says it all."""
    model, column = subject.model, subject.model.columns.prediction
    classes = _classes(subject, column)
    if column is None or not classes:
        return ()
    if len(classes) == 2:  # noqa: PLR2004
        unwanted = [value for value in classes if value != model.favourable_prediction]
        classes = tuple(sorted(unwanted)[-1:])
    kinds = {source.schema().types.get(column) for source in (subject.log, subject.reference)}
    kind = kinds.pop() if len(kinds) == 1 else None
    return tuple(
        (f"{column} is {value}", predicate.equals(column, _typed(value, kind))) for value in classes[:ANSWERS_SHOWN]
    )


def _typed(value: str, kind: LogicalType | None) -> str | float | bool:
    """A value as log and reference hold it; as text where they hold different kinds."""
    if kind is LogicalType.BOOLEAN:
        return value == "true"
    return float(value) if kind is LogicalType.NUMBER else value


def _wrong(subject: Subject) -> tuple[str, str] | None:
    """What wrong answers are and the predicate of them: unlike the label, or as far from it as few of the reference."""
    columns, model = subject.model.columns, subject.model
    if columns.label is None or columns.prediction is None:
        return None
    labels, answers = _classes(subject, columns.label), _classes(subject, columns.prediction)
    if model.problem is not Problem.REGRESSION and (labels or answers):
        differ = predicate.differs(columns.label, columns.prediction)
        return (WRONG, differ) if labels and answers and alike(labels, answers) else None
    return _far_off(subject, columns.label, columns.prediction)


def _far_off(subject: Subject, label: str, answer: str) -> tuple[str, str] | None:
    """The errors of numbers that lie outside the middle nine in ten of the reference's."""
    kinds = {source.schema().types.get(each) for source in (subject.log, subject.reference) for each in (label, answer)}
    if kinds != {LogicalType.NUMBER}:
        return None
    quantiles = subject.reference.profile_number(label, answer).quantiles
    if not quantiles or quantiles[1] >= quantiles[-2]:
        return None
    low, high = quantiles[1], quantiles[-2]
    ends = predicate.difference_below(label, answer, low), predicate.difference_at_least(label, answer, high)
    what = f"{predicate.difference(label, answer)} is large: below {low:.6g} or at least {high:.6g}"
    return what, predicate.any_of(*ends)


def _is_answerable(subject: Subject, text: str) -> bool:
    """Whether log and reference have the columns that a predicate names."""
    try:
        for source in (subject.log, subject.reference):
            predicate.parse(text, source.schema().names)
    except BadInput:
        return False
    return True


def _by(subject: Subject, column: str) -> CategoryCoding | None:
    if column not in _known(subject):
        return None
    profile = subject.reference.profile_category(column)
    values = tuple(value for value, _ in profile.values[:VALUES_MAX])
    return CategoryCoding(column, values, unseen_cells=8) if len(values) > 1 else None


class _Drawing:
    """Two passes over log and reference for all scenes at once, and what each scene takes from them."""

    def __init__(self, subject: Subject, scenes: Sequence[_Scene]) -> None:
        self._subject = subject
        answer = subject.model.columns.prediction
        classes = _classes(subject, answer)
        self._columns = _Columns(subject.log, subject.reference, {answer: classes} if answer and classes else {})
        for scene in scenes:
            for column in scene.columns:
                self._columns.add(column)
        self._step = step_of(subject.scan.period)
        matches = {name: coding for scene in scenes for name, coding in self._matches(scene).items()}
        self._whole = {
            scene.measure(m): PredicateCoding(where) for scene in scenes for m, (_, where) in enumerate(scene.measures)
        }
        over_time = [Cube((*s.names, s.measure(m))) for s in scenes for m in range(len(s.measures))]
        self._courses = self._count(matches, [*over_time, *(Cube(scene.names) for scene in scenes)], self._step)
        codings: dict[str, Coding | PredicateCoding] = {**matches, **self._columns.codings}
        over_values = [Cube((*scene.names, column)) for scene in scenes for column in scene.columns]
        for scene in scenes:
            if scene.by is not None and scene.measures:
                codings[f"{scene.key}\x1fby"] = scene.by
                over_values.append(Cube(scene.cut))
        self._spreads = self._count(codings, over_values, EVER)

    def figures(self, scene: _Scene) -> Figures:
        """The figures of one scene."""
        in_span = self._courses.counts(*scene.names).sum(axis=0)[:, 1]
        return Figures(
            courses=tuple(self._course(scene, number) for number in range(len(scene.measures))),
            contrasts=tuple(self._contrasts(scene)),
            by_value=tuple(self._by_value(scene)),
            by_column=None if scene.by is None else scene.by.column,
            distributions=self._distributions(scene),
            since=int(in_span.sum()),
            in_part=int(in_span[1]),
            traffic=self._traffic(scene),
        )

    def _matches(self, scene: _Scene) -> dict[str, PredicateCoding]:
        place, span = scene.names
        model, names = self._subject.model, self._subject.log.schema().names
        within = predicate.within(model.columns.time, scene.span)
        measures = {
            scene.measure(m): PredicateCoding(model.as_known(where, names, self._subject.now))
            for m, (_, where) in enumerate(scene.measures)
        }
        return {place: PredicateCoding(scene.place or "true"), span: PredicateCoding(within), **measures}

    def _count(
        self,
        codings: dict[str, PredicateCoding] | dict[str, Coding | PredicateCoding],
        cubes: list[Cube],
        step: timedelta,
    ) -> History:
        plan = Plan(Grid(step), codings, tuple(dict.fromkeys((Cube(()), *cubes))))
        subject = self._subject
        end = subject.scan.period.end
        log = subject.log.summarize(plan, end)
        whole = replace(plan, codings={**codings, **self._whole})  # the reference is known with all its labels
        reference = subject.reference.summarize(whole, subject.reference.period().end)
        return History.of(plan, log, reference, end + 2 * step)

    def _course(self, scene: _Scene, number: int) -> Course:
        names = (*scene.names, scene.measure(number))
        history = self._courses
        buckets = Buckets(
            history.counts(*names),
            [history.start(t) for t in range(len(history.buckets))],
            self._step,
            scene.span,
            self._subject.scan.period,
        )
        usual, usual_rest = _parts(history.reference_counts(*names).sum(axis=(0, 2)))
        return Course(scene.measures[number][0], buckets.points(), measured(usual), measured(usual_rest))

    def _contrasts(self, scene: _Scene) -> Iterator[Contrast]:
        """Each measure in the part and in the rest: the reference, and the failure's span."""
        for number, (what, _) in enumerate(scene.measures):
            names = (*scene.names, scene.measure(number))
            before = _parts(self._courses.reference_counts(*names).sum(axis=(0, 2)))
            during = _parts(self._courses.counts(*names).sum(axis=0)[:, 1])
            for part in (0, 1) if scene.place is not None else (0,):
                yield Contrast(what, part == 1, measured(before[part]), measured(during[part]))

    def _by_value(self, scene: _Scene) -> Iterator[Contrast]:
        if scene.by is None or not scene.measures:
            return
        before = self._spreads.reference_counts(*scene.cut).sum(axis=(0, 3))
        during = self._spreads.counts(*scene.cut).sum(axis=0)[:, :, 1]
        for code, value in enumerate(scene.by.values):
            inside, whole = (before[code] + during[code])[1].sum(), (before[code] + during[code]).sum()
            shares = measured(before[code].sum(axis=0)), measured(during[code].sum(axis=0))
            yield Contrast(scene.measures[0][0], bool(inside * 2 <= whole), *shares, value)

    def _distributions(self, scene: _Scene) -> tuple[Distribution, ...]:
        """Of an incident: what moved, the answer, the few inputs that moved least. Of a whole log: all, in order."""
        every = [self._distribution(scene, column) for column in scene.columns]
        if not self._subject.scan.incidents:
            return tuple(every)
        still = [each for each in every if not each.moved and not each.is_answer and each.distance is not None]
        still.sort(key=lambda each: each.distance or 0.0)
        shown = [each for each in every if each.moved or each.is_answer]
        return (*shown, *still[:STILL_MAX])

    def _distribution(self, scene: _Scene, column: str) -> Distribution:
        names = (*scene.names, column)
        before = self._spreads.reference_counts(*names).sum(axis=(0, 2))[1]
        during = self._spreads.counts(*names).sum(axis=0)[1, 1]
        coding = self._columns.codings[column]
        cut = self._columns.axes.get(column) if isinstance(coding, NumberCoding) else None
        return distribution(
            coding,
            Counted(before, during, self._spreads.names(column)),
            cut,
            is_answer=column == self._subject.model.columns.prediction,
            moved=column in scene.moved,
        )

    def _traffic(self, scene: _Scene) -> tuple[tuple[Interval, int], ...]:
        history, period = self._courses, self._subject.scan.period
        rows = history.counts(*scene.names).sum(axis=(1, 2))
        starts = [history.start(t) for t in range(len(rows))]
        return tuple(
            (Interval(max(start, period.start), min(start + self._step, period.end)), int(n))
            for start, n in zip(starts, rows, strict=True)
        )


def _parts(counts: Int64) -> tuple[Int64, Int64]:
    """Counts by place `(3, …)` as those of the part and those of the rest."""
    return counts[1], np.asarray(counts[0] + counts[2])
