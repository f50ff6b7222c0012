"""The plan of a scan: how the reference's columns become codes, and how long an evaluation is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from itertools import accumulate, combinations
from math import isfinite

import numpy as np

from andon.base.interval import Grid
from andon.base.predicate import equals
from andon.detect.finding import Slice
from andon.detect.surrogate import ROWS_MAX, Surrogate, fit
from andon.inventory.model import Model, Problem
from andon.telemetry.plan import (
    CategoryCoding,
    Codes,
    Coding,
    Cube,
    Extractor,
    NumberCoding,
    Plan,
    PresenceCoding,
    RepeatCoding,
)
from andon.telemetry.schema import LogicalType
from andon.telemetry.source import LogSource
from andon.telemetry.summary import LAG_MAX, LAG_NEVER, Int64, unpack

LADDER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 2880, 10080))
"""Lengths an evaluation may have."""
ROWS_PER_EVALUATION = 20
"""An evaluation holds about this many rows: enough to move a share visibly, few enough to lose little time."""
PACE_ROWS = 200
"""The pace of the traffic is taken from this many first rows; no evaluation runs before they are there."""
LABELLED_MIN = timedelta(hours=1)
"""Shortest evaluation of a model whose outcomes come later: each look costs budget."""

FEATURE_VALUES_MAX = 200
ANSWERS_MAX = 50
"""Classes of an answer that are told apart; the rest counts as values that the plan does not list."""
SLICE_VALUES_MAX = 20
SLICE_ROWS_MIN = 30
"""A slice with fewer rows in the reference has no baseline."""
CUT_VALUES_MIN = 4
"""A number of fewer values cuts the traffic by value, not by order."""
FOUND_MAX = 20
"""So many columns that nobody declared as slices are looked at: the features first."""
PAIR_PLACES_MAX = 200
"""Places of two declared columns at once that are looked at."""
STANDS_IN, STAND_IN_ROWS = 0.8, 5_000
"""From this lambda on, seen in so many rows, a column stands in for a protected attribute."""
VERSIONS_MAX = 50
RIPE_SHARE, EARLY_SHARE = 0.9, 0.1
"""The shares of the reference's labels that come until a decision is old enough to be judged, and that come first."""
IDENTIFIER_SHARE = 0.5
"""A text column with more distinct values than this share of its rows names things; only its absence is counted."""
CATEGORY_VALUES_MAX = 1000

FAR_WIDTHS = 10.0
"""A value so many times the width of the usual range away is like none in it."""
REPEATS_MAX = 20
"""So many pairs of entity and number are followed for repeated values: each costs a look at the previous row."""

PREDICTION = "role\x1fprediction"
LABEL = "role\x1flabel"
SCORE = "role\x1fscore"
SCORE_BINS = "role\x1fscore bins"
ERROR = "role\x1ferror"
"""Names of codings; no column has such a name."""


VERSION = "role\x1fversion"
CHANGED = "role\x1fchanged"
"""The extractor of answers that differ from the known-good model's."""


def cut_coding(column: str) -> str:
    """Name of the coding by whose edges a numeric column cuts the traffic in two."""
    return f"cut\x1f{column}"


def repeat_coding(entity: str, column: str) -> str:
    """Name of the coding that says whether a number is the one of the entity's previous row."""
    return f"repeat\x1f{entity}\x1f{column}"


def slice_coding(column: str) -> str:
    """Name of the coding by which a column cuts the traffic (coarser than its coding as a feature)."""
    return f"slice\x1f{column}"


@dataclass(frozen=True, slots=True)
class Ripeness:
    """When most labels of a decision are there, by the reference; in buckets.

    Attributes:
        age: the age of a decision at which nine in ten of the labels had come.
        early: the age at which one in ten had.
        until: decisions of the reference before this bucket were so old when its last label came.
    """

    age: int
    early: int
    until: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A model with the codings made for it: what there is to look at.

    Attributes:
        features: declared features that the reference has, in order.
        slices: declared columns by which the traffic is cut, value by value.
        found: columns that nobody declared as slices, but which may be some: of few values, features included.
        cuts: numeric columns that may cut the traffic in two, declared or not.
        extractors: what is made of other codes, by name.
        repeats: names of the codings that compare a number with that of the entity's previous row.
        stand_ins: columns whose values tell a protected attribute (the age, where age groups are protected).
        ripeness: when most labels are there; None where no label has a time of arrival.
    """

    model: Model
    codings: dict[str, Coding]
    features: tuple[str, ...]
    slices: tuple[str, ...]
    found: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    extractors: Mapping[str, Extractor] = field(default_factory=dict)
    stand_ins: frozenset[str] = frozenset()
    repeats: tuple[str, ...] = ()
    ripeness: Ripeness | None = None

    def version_slice(self, version: str) -> Slice:
        """The traffic that one version answered."""
        column = self.codings[VERSION].column
        return Slice(equals(column, version), (column,))

    def is_cut(self, place: Slice | None) -> bool:
        """Whether a slice is one side of a number."""
        return place is not None and place.columns[-1] in self.cuts and place.columns[-1] not in self.slices

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of declared slices, those of few places first, up to so many places in all."""
        sizes = {name: len(self.cut(name).values) for name in self.slices}
        pairs = sorted(combinations(self.slices, 2), key=lambda pair: sizes[pair[0]] * sizes[pair[1]])
        places = accumulate(sizes[one] * sizes[other] for one, other in pairs)
        return tuple(pair for pair, sum_of_them in zip(pairs, places, strict=True) if sum_of_them <= PAIR_PLACES_MAX)

    def is_declared(self, codings: Iterable[str]) -> bool:
        """Whether some codings cut the traffic by no column that nobody declared as a slice, nor by two at once."""
        codings = set(codings)
        if len(codings & {slice_coding(name) for name in self.slices}) > 1:
            return False
        undeclared = {
            *(slice_coding(name) for name in self.found),
            *(cut_coding(name) for name in self.cuts if name not in self.slices),
        }
        return undeclared.isdisjoint(codings)

    def protects(self, columns: Iterable[str]) -> bool:
        """Whether columns tell protected groups apart: protected attributes, or what stands in for one."""
        return any(name in self.model.protected or name in self.stand_ins for name in columns)

    @property
    def surrogate(self) -> Surrogate | None:
        """The stand-in of the known-good model, if it can be imitated."""
        extractor = self.extractors.get(CHANGED)
        return extractor if isinstance(extractor, Surrogate) else None

    @property
    def scored(self) -> str:
        """Name of the coding of the number that the surrogate expects: the score, or the answer where that is one."""
        return SCORE if self.surrogate is None or self.surrogate.classes else PREDICTION

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the codings of the features, and of prediction and score if there are."""
        return (*self.features, *(role for role in (PREDICTION, SCORE) if role in self.codings))

    @property
    def classes(self) -> tuple[CategoryCoding, CategoryCoding] | None:
        """Codings of label and prediction when both are one of few classes."""
        if ERROR in self.codings:
            return None
        label, prediction = self.codings.get(LABEL), self.codings.get(PREDICTION)
        if isinstance(label, CategoryCoding) and isinstance(prediction, CategoryCoding):
            return label, prediction
        return None

    @property
    def outcome(self) -> tuple[CategoryCoding, int] | None:
        """Coding and code of the positive outcome where there are two: `1` or `true`, else the rarer one."""
        label = self.codings.get(LABEL)
        if not isinstance(label, CategoryCoding) or len(label.values) != 2:  # noqa: PLR2004
            return None
        return label, next((code for code, value in enumerate(label.values) if value in {"1", "true"}), 1)

    def cut(self, column: str) -> CategoryCoding:
        """The coding by which a column cuts the traffic."""
        coding = self.codings[slice_coding(column)]
        assert isinstance(coding, CategoryCoding)  # noqa: S101  # watch() makes slices of no other kind
        return coding


def watch(model: Model, reference: LogSource) -> Watched:
    """Codings for the model's features, slices and prediction, from the reference's values."""
    types = reference.schema().types
    features = tuple(name for name in model.features if name in types)
    codings = {name: feature_coding(reference, name, types[name]) for name in features}
    answers = {
        role: _answer_coding(reference, column, types[column])
        for role, column in ((PREDICTION, model.columns.prediction), (LABEL, model.columns.label))
        if column is not None and column in types
    }
    slices = {name: _slice_coding(reference, name) for name in model.slice_columns if name in types}
    others = [name for name in (*features, *_unnamed(model, types)) if name not in slices]
    found = {name: _slice_coding(reference, name) for name in others[:FOUND_MAX] if _may_name_groups(types[name])}
    numbers = [name for name in (*slices, *others) if types[name] is LogicalType.NUMBER][:FOUND_MAX]
    cuts = {name: _cut_coding(reference, name) for name in numbers}
    codings |= {slice_coding(name): coding for name, coding in (slices | found).items() if coding is not None}
    codings |= {cut_coding(name): coding for name, coding in cuts.items() if coding is not None}
    scores = _score_codings(reference, model, types)
    error = _error_coding(reference, model, types, answers)
    repeats = _repeat_codings(model, types)
    roles = answers | _version_coding(model, reference) | scores | ({} if error is None else {ERROR: error})
    return Watched(
        model,
        codings | roles | repeats,
        features,
        tuple(name for name, coding in slices.items() if coding is not None),
        tuple(name for name, coding in found.items() if coding is not None),
        tuple(name for name, coding in cuts.items() if coding is not None),
        _surrogate(reference, {name: codings[name] for name in features}, roles),
        _stand_ins(model, reference, codings),
        tuple(repeats),
    )


def _repeat_codings(model: Model, types: Mapping[str, LogicalType]) -> dict[str, Coding]:
    numbers = [name for name in model.features if types.get(name) is LogicalType.NUMBER]
    entities = [name for name in model.columns.entities if name in types]
    pairs = [(entity, name) for name in numbers for entity in entities if entity != name]
    return {repeat_coding(entity, name): RepeatCoding(name, entity) for entity, name in pairs[:REPEATS_MAX]}


def _stand_ins(model: Model, reference: LogSource, codings: Mapping[str, Coding]) -> frozenset[str]:
    """Columns that tell a protected attribute: guessing it from them errs a fifth as often as guessing without.

    The measure is Goodman and Kruskal's lambda (1954).
    """
    cut = {name: c for name, c in codings.items() if name in {slice_coding(c.column), cut_coding(c.column)}}
    protected = [slice_coding(name) for name in model.protected if slice_coding(name) in cut]
    if not protected:
        return frozenset()
    rows = reference.sample(cut, STAND_IN_ROWS)
    return frozenset(
        coding.column
        for name, coding in cut.items()
        if any(_lambda(rows[name], rows[each]) >= STANDS_IN for each in protected if each != name)
    )


def _lambda(by: Codes, told: Codes) -> float:
    table = np.zeros((int(by.max(initial=0)) + 1, int(told.max(initial=0)) + 1))
    np.add.at(table, (by, told), 1)
    alone, rows = table.sum(axis=0).max(), table.sum()
    return float((table.max(axis=1).sum() - alone) / (rows - alone)) if rows > alone else 0.0


def _unnamed(model: Model, types: Mapping[str, LogicalType]) -> list[str]:
    """Columns of the log of which the model file says nothing."""
    roles = (getattr(model.columns, each.name) for each in fields(model.columns))
    named = {name for role in roles for name in ((role,) if isinstance(role, str) else role or ())}
    return [name for name in types if name not in named and name not in model.features]


def _may_name_groups(kind: LogicalType) -> bool:
    return kind in {LogicalType.TEXT, LogicalType.BOOLEAN}


def _version_coding(model: Model, reference: LogSource) -> dict[str, Coding]:
    column = model.columns.version
    if column is None or column not in reference.schema().types:
        return {}
    seen = [value for value, _ in reference.profile_category(column).values[:VERSIONS_MAX]]
    declared = [version.name for version in model.versions]
    return {VERSION: CategoryCoding(column, tuple(dict.fromkeys((*seen, *declared)))[:VERSIONS_MAX], unseen_cells=8)}


def _score_codings(reference: LogSource, model: Model, types: Mapping[str, LogicalType]) -> dict[str, Coding]:
    score = model.columns.score
    if score is None or score in (model.columns.prediction, *model.features):
        return {}
    if types.get(score) is not LogicalType.NUMBER:
        return {}
    return {SCORE: feature_coding(reference, score, LogicalType.NUMBER), SCORE_BINS: _bins(reference, score)}


def _surrogate(
    reference: LogSource, features: Mapping[str, Coding], roles: Mapping[str, Coding]
) -> Mapping[str, Extractor]:
    prediction, score = roles.get(PREDICTION), roles.get(SCORE)
    if not features or not isinstance(prediction, CategoryCoding | NumberCoding):
        return {}
    scored = (SCORE, score) if isinstance(score, NumberCoding) else None
    wanted = {**features, PREDICTION: prediction, **({} if scored is None else {SCORE: scored[1]})}
    fitted = fit(features, (PREDICTION, prediction), scored, reference.sample(wanted, ROWS_MAX))
    return {} if fitted is None else {CHANGED: fitted}


def feature_coding(reference: LogSource, column: str, kind: LogicalType) -> Coding:
    """Bins for a number (each of at most 50 values its own), cells for a category, presence for what names things."""
    if kind is LogicalType.NUMBER:
        profile = reference.profile_number(column)
        edges = profile.distinct if profile.distinct is not None else tuple(sorted(set(profile.quantiles)))
        return NumberCoding(column, with_far_edges(edges))
    if kind in {LogicalType.TEXT, LogicalType.BOOLEAN}:
        profile_text = reference.profile_category(column)
        rows = sum(count for _, count in profile_text.values)
        if profile_text.distinct <= CATEGORY_VALUES_MAX and profile_text.distinct <= max(2, IDENTIFIER_SHARE * rows):
            return CategoryCoding(column, tuple(value for value, _ in profile_text.values[:FEATURE_VALUES_MAX]))
    return PresenceCoding(column)


def _error_coding(
    reference: LogSource, model: Model, types: Mapping[str, LogicalType], codings: Mapping[str, Coding]
) -> Coding | None:
    """Label less prediction, where the answer is a number: by the model's word, or since both have many values."""
    label, prediction = model.columns.label, model.columns.prediction
    if label is None or prediction is None or {types.get(label), types.get(prediction)} != {LogicalType.NUMBER}:
        return None
    many = all(isinstance(codings.get(role), NumberCoding) for role in (LABEL, PREDICTION))
    if model.problem is not Problem.REGRESSION and not (model.problem is None and many):
        return None
    return NumberCoding(label, tuple(sorted(set(reference.profile_number(label, prediction).quantiles))), prediction)


def _bins(reference: LogSource, column: str) -> NumberCoding:
    """At most ten bins that hold about as many of the reference's rows each: wide enough to have a rate."""
    return NumberCoding(column, tuple(sorted(set(reference.profile_number(column).quantiles[2:-2:2]))))


def with_far_edges(edges: tuple[float, ...]) -> tuple[float, ...]:
    """Edges with one more on either side: beyond lies what no known row comes near.

    As far out as the edges are wide, or as the values are large if that is more (a narrow reference proves little), but
    never further than `FAR_WIDTHS` times as wide: years and air pressures lie far from zero, and closely together.
    """
    if not edges:
        return ()
    width, large = edges[-1] - edges[0], max(abs(edges[0]), abs(edges[-1]))
    away = max(width, min(large, FAR_WIDTHS * width) if width else large) or 1.0
    far = (edges[0] - away, *edges, edges[-1] + away)
    return far if isfinite(far[0]) and isfinite(far[-1]) else edges


def _slice_coding(reference: LogSource, column: str) -> CategoryCoding | None:
    profile = reference.profile_category(column)
    values = tuple(value for value, count in profile.values[:SLICE_VALUES_MAX] if count >= SLICE_ROWS_MIN)
    return CategoryCoding(column, values, unseen_cells=8) if len(values) > 1 else None


def _cut_coding(reference: LogSource, column: str) -> NumberCoding | None:
    """Edges between the values of a number that is not a category: each may be where a group begins."""
    profile = reference.profile_number(column)
    edges = profile.distinct if profile.distinct is not None else tuple(sorted(set(profile.quantiles)))
    return NumberCoding(column, edges[1:]) if len(edges) > CUT_VALUES_MIN else None


def _answer_coding(reference: LogSource, column: str, kind: LogicalType) -> Coding:
    profile = reference.profile_category(column)
    if kind is LogicalType.NUMBER and profile.distinct > SLICE_VALUES_MAX:
        return feature_coding(reference, column, kind)
    return CategoryCoding(column, tuple(value for value, _ in profile.values[:ANSWERS_MAX]), unseen_cells=8)


def delay_of(share: float, delays: Int64, rows: Int64) -> int:
    """The delay by which a share of the labels had come; `rows` says how many came after each of the delays."""
    order = np.argsort(delays, kind="stable")
    reached = np.cumsum(rows[order]) >= share * rows.sum()
    return int(delays[order][np.argmax(reached)])


def with_ripeness(watched: Watched, reference: LogSource, grid: Grid) -> Watched:
    """The same with when most labels are there: the reference's labels are counted for it by a plan of their own."""
    if LABEL not in watched.codings:
        return watched
    cube = Cube((LABEL,), known_at=True)
    plan = Plan(grid, watched.codings, (Cube(()), cube))
    counts = reference.summarize(plan, reference.period().end).cubes[cube]
    decided, lags, _ = unpack(counts.keys, watched.codings[LABEL].size)
    timed = lags != LAG_NEVER
    decided, lags, rows = decided[timed], lags[timed], counts.counts[timed].astype(np.int64)
    if not rows.sum():
        return watched
    early, age = (delay_of(share, lags, rows) for share in (EARLY_SHARE, RIPE_SHARE))
    if age >= LAG_MAX:
        return watched
    return replace(watched, ripeness=Ripeness(age, early, int((decided + lags).max()) - age + 1))


def make_plan(watched: Watched, cubes: Iterable[Cube], grid: Grid) -> Plan:
    """The plan that counts rows, what is watched column by column, and what the detectors asked for."""
    columns = (Cube((name,)) for name in (*watched.names, *((VERSION,) if VERSION in watched.codings else ())))
    return Plan(grid, watched.codings, tuple(dict.fromkeys((Cube(()), *columns, *cubes))), watched.extractors)


def evaluation_length(log: LogSource, model: Model) -> timedelta:
    """How often to evaluate: the shortest length on the ladder that holds about `ROWS_PER_EVALUATION` rows.

    The pace is that of the first `PACE_ROWS` rows, so that it never depends on what comes later.
    """
    period = log.period()
    full = log.time_of_row(PACE_ROWS)
    span, rows = (full - period.start, PACE_ROWS) if full is not None else (period.length, max(log.rows(), 1))
    needed = span * ROWS_PER_EVALUATION / rows
    if model.columns.label is not None:
        needed = max(needed, LABELLED_MIN)
    return next((length for length in LADDER if length >= needed), LADDER[-1])
