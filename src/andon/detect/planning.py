"""The plan of a scan: how the reference's columns become codes, and how long an evaluation is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite

from andon.base.interval import Grid
from andon.inventory.model import Model, Problem
from andon.telemetry.plan import CategoryCoding, Coding, Cube, NumberCoding, Plan, PresenceCoding
from andon.telemetry.schema import LogicalType
from andon.telemetry.source import LogSource

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
IDENTIFIER_SHARE = 0.5
"""A text column with more distinct values than this share of its rows names things; only its absence is counted."""
CATEGORY_VALUES_MAX = 1000

PREDICTION = "role\x1fprediction"
LABEL = "role\x1flabel"
SCORE = "role\x1fscore"
SCORE_BINS = "role\x1fscore bins"
ERROR = "role\x1ferror"
"""Names of codings; no column has such a name."""


def slice_coding(column: str) -> str:
    """Name of the coding by which a column cuts the traffic (coarser than its coding as a feature)."""
    return f"slice\x1f{column}"


@dataclass(frozen=True, slots=True)
class Watched:
    """A model with the codings made for it: what there is to look at.

    Attributes:
        features: declared features that the reference has, in order.
        slices: columns by which the traffic is cut.
    """

    model: Model
    codings: dict[str, Coding]
    features: tuple[str, ...]
    slices: tuple[str, ...]

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
    slices = []
    for name in model.slice_columns:
        if name in types and (coding := _slice_coding(reference, name)) is not None:
            codings[slice_coding(name)] = coding
            slices.append(name)
    for role, column in ((PREDICTION, model.columns.prediction), (LABEL, model.columns.label)):
        if column is not None and column in types:
            codings[role] = _answer_coding(reference, column, types[column])
    if (error := _error_coding(reference, model, types, codings)) is not None:
        codings[ERROR] = error
    score = model.columns.score
    if score not in (None, model.columns.prediction, *features) and types.get(str(score)) is LogicalType.NUMBER:
        codings[SCORE] = feature_coding(reference, str(score), LogicalType.NUMBER)
        codings[SCORE_BINS] = _bins(reference, str(score))
    return Watched(model, codings, features, tuple(slices))


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

    As far out as the edges are wide, or as the values are large if that is more (a narrow reference proves little).
    """
    if not edges:
        return ()
    width = max(edges[-1] - edges[0], abs(edges[0]), abs(edges[-1])) or 1.0
    far = (edges[0] - width, *edges, edges[-1] + width)
    return far if isfinite(far[0]) and isfinite(far[-1]) else edges


def _slice_coding(reference: LogSource, column: str) -> CategoryCoding | None:
    profile = reference.profile_category(column)
    values = tuple(value for value, count in profile.values[:SLICE_VALUES_MAX] if count >= SLICE_ROWS_MIN)
    return CategoryCoding(column, values, unseen_cells=8) if len(values) > 1 else None


def _answer_coding(reference: LogSource, column: str, kind: LogicalType) -> Coding:
    profile = reference.profile_category(column)
    if kind is LogicalType.NUMBER and profile.distinct > SLICE_VALUES_MAX:
        return feature_coding(reference, column, kind)
    return CategoryCoding(column, tuple(value for value, _ in profile.values[:ANSWERS_MAX]), unseen_cells=8)


def make_plan(watched: Watched, cubes: Iterable[Cube], grid: Grid) -> Plan:
    """The plan that counts rows, what is watched column by column, and what the detectors asked for."""
    columns = (Cube((name,)) for name in watched.names)
    return Plan(grid, watched.codings, tuple(dict.fromkeys((Cube(()), *columns, *cubes))))


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
