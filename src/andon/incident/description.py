"""What a group of hits says in words and bounds: where, since when, which columns, what the rows look like."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from andon.alert.grouping import ANSWERS, Group
from andon.base.predicate import any_of
from andon.detect.classify import Signs
from andon.detect.finding import Slice
from andon.detect.history import History
from andon.detect.hit import Hit, expected, follow
from andon.detect.jump import share
from andon.detect.locate import locate
from andon.detect.narrow import Narrowed
from andon.detect.onset import Run
from andon.detect.planning import VERSION, Watched
from andon.detect.shape import came_to_a_stop, left_range
from andon.detect.versions import new_versions
from andon.telemetry.plan import CategoryCoding, NumberCoding
from andon.telemetry.summary import Int64

Shape = Callable[[NumberCoding, Int64, Int64], bool]

FEATURE_SHARE = 0.5
"""A feature is named when its jump is at least this share of the largest one: companions, not echoes."""
VANISHED = 0.1
"""A value has vanished when less than this share of the rows that it should have is left …"""
VANISHED_ROWS_MIN = 4
"""… of at least this many: chance leaves none of four in 2 of 100 cases, and something is known to be wrong."""
WHOLE = 0.95
"""A mark that this share of the rows carries concerns all of them."""
VALUES_NAMED = 4
"""So many new values are named in a sentence."""
VALUE_Z = 4.0
"""A value of the slice column joins the slice when it moves the same way by this many standard errors."""
ALONE = 0.95
"""A version made nearly all decisions when it made this share of them."""
LABEL_DETECTORS = ("error_rate", "cohort_error", "calibration", "regression_error")
INPUT_DETECTORS = ("null_share", "category_share", "feature_distribution", "slice_distribution", "repeat_share")


@dataclass(frozen=True)
class Description:
    """A group as known at one evaluation index."""

    lead: Hit
    run: Run
    slice: Slice | None
    features: tuple[str, ...]
    signs: Signs
    before: float
    after: float
    t: int


def describe(group: Group, t: int, watched: Watched, history: History) -> Description:
    """The group by what is known at evaluation `t`."""
    hits = sorted(group.members.values(), key=lambda hit: -abs(hit.z))
    inputs = [hit for hit in hits if hit.stream.detector.name in INPUT_DETECTORS]
    lead, run = max(((hit, follow(hit, t)) for hit in _causes(group.leads())), key=lambda pair: pair[1].gain)
    seen_everywhere = lead.stream.mark.slice is None
    new_value = lead.stream.detector.name == "category_share" and lead.stream.mark.rare
    if new_value:  # it is its own slice
        lead = _with_other_values(lead, run, hits, history, t)
    lead = lead if new_value else locate(lead, watched, history, run)
    run = follow(lead, t)
    place = lead.stream.mark.slice
    if not seen_everywhere and not watched.is_cut(place):
        place = _widened(lead, hits)  # locate() took the whole set, and the whole side of a cut
    features = _features(
        (None, lead.stream.mark.slice, place) if seen_everywhere else (lead.stream.mark.slice,), inputs
    )
    signs = Signs(
        nulls=lead.stream.detector.name == "null_share" and lead.effect > 0,
        impossible=any(_impossible(hit) for hit in group.fired_with) or _is_shaped(left_range, lead, run, t, history),
        stopped=_is_shaped(came_to_a_stop, lead, run, t, history),
        new_value=new_value,
        value_vanished=lead.stream.detector.name == "category_share" and _vanished(lead, run, t, history),
        inputs_moved=features,
        decisions_moved=any(hit.stream.detector.name in ANSWERS for hit in hits),
        errors_moved=any(hit.stream.detector.name in LABEL_DETECTORS for hit in hits),
        sliced=place is not None,
        protected=place is not None and watched.protects(place.columns),
        version=lead.stream.mark.version or _version_of(run, watched, history),
        stale=lead.stream.detector.name == "repeat_share",
        labels_missing=lead.stream.detector.name == "label_feed",
    )
    before, after = _shares(lead, run, t)
    return Description(lead, run, place, features, signs, before, after, t)


def asks_where(known: Description) -> bool:
    """Whether a second pass may narrow the slice: not of what is its own slice, nor of what no row shows by itself."""
    told = known.lead.stream.detector.name
    return not known.signs.new_value and told not in {"label_feed", "calibration", "estimated_performance"}


def place_of(known: Description, watched: Watched) -> Slice | None:
    """The slice without the version that is to blame."""
    place, version = known.slice, known.lead.stream.mark.version
    if place is None or version is None:
        return place
    whole = watched.version_slice(version)
    if place == whole:
        return None
    return Slice(place.predicate.removeprefix(f"{whole.predicate} and "), place.columns[1:])


def followed(known: Description, found: Narrowed, watched: Watched) -> Description:
    """The description with its leading jump followed where a second pass found it."""
    run, place = follow(found.hit, known.t), found.place
    protected = place is not None and watched.protects(place.columns)
    signs = replace(known.signs, sliced=place is not None, protected=protected)
    before, after = _shares(found.hit, run, known.t)
    features = found.hit.stream.mark.features
    if features == known.lead.stream.mark.features:
        features = known.features
    return Description(found.hit, run, place, features, signs, before, after, known.t)


def of_version(known: Description, version: str, watched: Watched) -> Description:
    """The description with a version to blame: its decisions alone are concerned, where there is a slice only there."""
    stream, whole = known.lead.stream, watched.version_slice(version)
    place = whole if known.slice is None else whole & known.slice
    lead = replace(known.lead, stream=replace(stream, mark=replace(stream.mark, slice=place, version=version)))
    return replace(known, lead=lead, slice=place, signs=replace(known.signs, version=version))


def _version_of(run: Run, watched: Watched, history: History) -> str | None:
    """The version that came when a failure began and that nearly all decisions since are of."""
    came = [(code, name) for code, (name, first) in new_versions(watched, history).items() if run.begins_near(first, 1)]
    if not came:
        return None
    now = history.counts(VERSION)[run.start : run.end].sum(axis=0)
    return next((name for code, name in came if now[code] >= ALONE * now.sum()), None)


def _causes(leads: list[Hit]) -> list[Hit]:
    """The leads without decisions that inputs explain: a model answers what it is told, and never the other way."""
    told = any(hit.stream.detector.name in INPUT_DETECTORS for hit in leads)
    return [hit for hit in leads if not (told and hit.stream.detector.name in ANSWERS)]


def _features(places: tuple[Slice | None, ...], inputs: list[Hit]) -> tuple[str, ...]:
    """Features that moved in one of the places, and about as much as the one that moved most."""
    alike = [hit for hit in inputs if hit.stream.mark.slice in places]
    most = max((abs(hit.effect) for hit in alike), default=0.0)
    named = [hit for hit in alike if abs(hit.effect) >= FEATURE_SHARE * most]
    return tuple(dict.fromkeys(name for hit in named for name in hit.stream.mark.features))


def _is_shaped(shape: Shape, lead: Hit, run: Run, t: int, history: History) -> bool:
    """Whether the values of the leading number took a shape, in all traffic and as rows that are on their own.

    A number that is the same for everybody at a time (an index, the weather) leaves its range without any fault.
    """
    coding = history.plan.codings[lead.stream.mark.coding]
    if not isinstance(coding, NumberCoding) or not lead.opens or lead.stream.detector.name not in INPUT_DETECTORS:
        return False
    counts, reference = history.counts(lead.stream.mark.coding), history.reference_counts(lead.stream.mark.coding)
    whole = min(run.start + 1, t)  # the first bucket may hold rows from before it began
    before = counts[: run.start].sum(axis=0) + reference.sum(axis=0)
    return shape(coding, before, counts[whole : min(run.end, t + 1)].sum(axis=0))


def _impossible(hit: Hit) -> bool:
    return hit.stream.mark.rare and hit.stream.detector.name in {"feature_distribution", "slice_distribution"}


def _vanished(lead: Hit, run: Run, t: int, history: History) -> bool:
    """Whether a known value of the leading column all but vanished when the failure began."""
    counts, reference = history.counts(lead.stream.mark.coding), history.reference_counts(lead.stream.mark.coding)
    coding = history.plan.codings[lead.stream.mark.coding]
    if not isinstance(coding, CategoryCoding):
        return False
    known = slice(0, len(coding.values))
    whole = min(run.start + 1, t)  # the first bucket may hold rows from before it began
    now, before = counts[whole : t + 1].sum(axis=0), counts[: run.start].sum(axis=0) + reference.sum(axis=0)
    expected_rows = before[known] / max(before.sum(), 1) * now.sum()
    gone = (expected_rows >= VANISHED_ROWS_MIN) & (now[known] < VANISHED * expected_rows)
    return bool(gone.any())


def _with_other_values(lead: Hit, run: Run, hits: list[Hit], history: History, t: int) -> Hit:
    """The leading new value with the others of its column that came when it came: a column written in another way.

    Where hardly a known value is left, all that is new counts, what was too rare to be found by itself included.
    """
    same = [
        hit.stream
        for hit in hits
        if hit.stream is not lead.stream
        and hit.stream.detector is lead.stream.detector
        and hit.stream.mark.features == lead.stream.mark.features
        and hit.stream.mark.rare
        and hit.effect > 0
        and _overlap(run, follow(hit, t))
    ]
    if not same:
        return lead
    streams = [lead.stream, *same]
    marks = [stream.mark for stream in streams]
    mark = replace(
        lead.stream.mark,
        codes=tuple(code for each in marks for code in each.codes),
        what=" or ".join(each.what for each in marks[:VALUES_NAMED]) + (" or …" if len(marks) > VALUES_NAMED else ""),
        predicate=any_of(*(each.predicate for each in marks if each.predicate is not None)),
    )
    count = np.sum([stream.count for stream in streams], axis=0)
    coding = history.plan.codings[mark.coding]
    if isinstance(coding, CategoryCoding):
        new = history.counts(mark.coding)[:, coding.unseen :].sum(axis=1).astype(np.float64)
        part = slice(run.start, run.end)
        count = new if new[part].sum() >= WHOLE * lead.stream.total[part].sum() else count
    return replace(lead, stream=replace(lead.stream, mark=mark, count=count))


def _overlap(one: Run, other: Run) -> bool:
    """Whether two runs may have started at the same time."""
    return one.low <= other.high and other.low <= one.high


def _widened(lead: Hit, hits: list[Hit]) -> Slice | None:
    """The leading slice with the other values of its column that moved the same way in the same mark."""
    place = lead.stream.mark.slice
    if place is None:
        return None
    joined = [
        hit.stream.mark.slice.predicate
        for hit in hits
        if hit.stream.mark.slice is not None
        and hit.stream.mark.slice.columns == place.columns
        and hit.stream.mark.what == lead.stream.mark.what
        and np.sign(hit.effect) == np.sign(lead.effect)
        and abs(hit.z) >= VALUE_Z
        and abs(hit.effect) >= FEATURE_SHARE * abs(lead.effect)
    ]
    return Slice(any_of(*dict.fromkeys((place.predicate, *joined))), place.columns)


def _shares(lead: Hit, run: Run, t: int) -> tuple[float, float]:
    """Share of the leading mark in the run: expected, and seen."""
    stream, part = lead.stream.known(t), slice(run.start, run.end)
    total = max(stream.total[part].sum(), 1)
    wanted = share(expected(stream, t, run.low))[part]
    return float((wanted * stream.total[part]).sum() / total), float(stream.count[part].sum() / total)


def picture(description: Description, points: int = 60) -> list[tuple[float | None, float | None]]:
    """Observed and expected share of the leading mark over time, at most `points` of them (None: no rows)."""
    t = description.t
    stream = description.lead.stream.known(t)
    wanted = share(expected(stream, t, description.run.low)) * stream.total[: t + 1]
    step = -(-(t + 1) // points)
    drawn: list[tuple[float | None, float | None]] = []
    for first in range(0, t + 1, step):
        part = slice(first, min(first + step, t + 1))
        total = stream.total[part].sum()
        observed, usual = float(stream.count[part].sum()), float(wanted[part].sum())
        drawn.append((observed / total, usual / total) if total else (None, None))
    return drawn
