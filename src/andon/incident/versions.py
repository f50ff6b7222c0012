"""The versions of the model that came while a log ran, and what hides others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Final

import numpy as np

from andon.base.predicate import equals, is_null, one_of
from andon.detect.history import History
from andon.detect.planning import VERSION, VERSIONS_MAX, Watched
from andon.detect.versions import new_versions
from andon.incident.scan import Warning  # noqa: A004  # the contract's word
from andon.telemetry.plan import CategoryCoding, Cube, Plan
from andon.telemetry.question import Question
from andon.telemetry.schema import LogicalType
from andon.telemetry.source import LogSource

TOLD: Final = 12
"""So many versions that came are told, the first ones."""
CELLS: Final = 1 << 16
"""Detection tells few new versions apart; to name them, so many cells: a thousand versions hardly share one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The log and the reference of a scan, what was counted of them, and how to count more (`ask`)."""

    log: LogSource
    reference: LogSource
    watched: Watched
    history: History
    now: datetime
    ask: Callable[[Plan], History]


@dataclass(frozen=True, slots=True)
class Came:
    """The versions that came while a log ran.

    Attributes:
        first: when the first of them were first seen, by name.
        more: how many more came, at least.
        shared: whether some were counted as one, which made detection take them for one.
    """

    first: dict[str, datetime]
    more: int = 0
    shared: bool = False


def came_in(judged: Judged) -> Came:
    """The versions that came while the log ran."""
    coding = judged.watched.codings.get(VERSION)
    if not isinstance(coding, CategoryCoding):
        return Came({})
    history = judged.history
    came = list(new_versions(judged.watched, history).values())
    shared = _is_one_unnamed(judged, coding)
    if shared:
        came, history = _told_apart(judged, coding)
    came.sort(key=itemgetter(1, 0))
    first = dict[str, datetime]()
    for name, bucket in came[:TOLD]:
        start, end = history.start(bucket), min(history.evaluation(bucket), judged.now)
        first[name] = judged.log.answer(Question(equals(coding.column, name), end, since=start)).first or start
    return Came(first, max(len(came) - TOLD, 0), shared)


def warnings(judged: Judged, came: Came) -> Iterator[Warning]:
    """Why nobody can say which version is to blame, and that more came than are named."""
    coding = judged.watched.codings.get(VERSION)
    if not isinstance(coding, CategoryCoding):
        return
    column = coding.column
    empty = _without(judged, coding)
    if empty:
        text = (
            f"no row of the {' and of the '.join(empty)} has a version in {column}, so no failure can be put down to "
            "one: fill it in, or name the column that has it as `version_column:`"
        )
        yield Warning("versions_empty", text)
    known = judged.reference.profile_category(column).distinct if _is_one_beyond(judged, coding) else 0
    if known > VERSIONS_MAX:
        text = (
            f"the reference has {known:,} versions in {column}, of which {VERSIONS_MAX} can be told apart, so no "
            "failure can be put down to another one: name a column with fewer, such as that of the release, as "
            "`version_column:`"
        )
        yield Warning("versions_too_many", text)
    if came.more or came.shared:
        count = len(came.first)
        named = f"{count} versions" if count != 1 else "1 version"
        named = f"{named} and at least {came.more:,} more" if came.more else named
        why = (
            "; not all versions were told apart, so a failure of one may be put down to another" if came.shared else ""
        )
        text = (
            f"{named} in {column} came while the log ran{why}: if it holds no releases, name the column that does as "
            "`version_column:`"
        )
        yield Warning("versions_many", text)


def _is_one_unnamed(judged: Judged, coding: CategoryCoding) -> bool:
    """Whether the log has a version that shares its cell with another one, whose name alone is known."""
    names = sorted(judged.history.names(VERSION).values())  # a question is known again by its words
    if not names:
        return False
    others = f"not ({is_null(coding.column)}) and not ({one_of(coding.column, (*coding.values, *names))})"
    return judged.log.answer(Question(others, judged.now)).count > 0


def _told_apart(judged: Judged, coding: CategoryCoding) -> tuple[list[tuple[str, int]], History]:
    """The versions that came, each with its first bucket, counted anew in so many cells that they seldom share one."""
    finer = replace(coding, unseen_cells=CELLS)
    history = judged.ask(Plan(judged.history.plan.grid, {VERSION: finer}, (Cube(()), Cube((VERSION,)))))
    seen = history.entries(VERSION)
    first = np.full(finer.size, len(history.buckets))
    np.minimum.at(first, seen.codes[0], seen.time)
    first[history.reference_entries(VERSION).codes[0]] = 0
    names = dict(enumerate(finer.values)) | history.names(VERSION)
    came = np.flatnonzero((first > 0) & (first < len(history.buckets))).tolist()
    return [(names[code], int(first[code])) for code in came if code in names], history


def _is_one_beyond(judged: Judged, coding: CategoryCoding) -> bool:
    """Whether the reference has a version that has no code of its own."""
    return bool(judged.history.reference_counts(VERSION)[:, coding.unseen :].sum())


def _without(judged: Judged, coding: CategoryCoding) -> list[str]:
    """Which of the two has no version in any row, or an empty one."""
    history, reference = judged.history, judged.reference
    sides = (
        ("log", judged.log, history.counts(VERSION), judged.now),
        ("reference", reference, history.reference_counts(VERSION), reference.period().end),
    )
    named = [code for code, value in enumerate(coding.values) if value]
    found = []
    for side, source, counts, before in sides:
        is_named = counts[:, named].sum() > 0
        if len(counts) and not is_named and not source.answer(Question(_filled(source, coding.column), before)).count:
            found.append(side)
    return found


def _filled(source: LogSource, column: str) -> str:
    """The rows that name a version."""
    is_text = source.schema().types.get(column) is LogicalType.TEXT
    return f"not ({one_of(column, (None, '') if is_text else (None,))})"
