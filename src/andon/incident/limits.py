"""What limits a scan: what of the log, the reference or the model file it could not look at, and how to mend it."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from andon.base.interval import Interval
from andon.base.predicate import is_null
from andon.detect.builtin.error_rate import alike
from andon.detect.mark import ROWS_MIN
from andon.detect.planning import LABEL, PREDICTION, SLICE_ROWS_MIN
from andon.incident.scan import Warning  # noqa: A004  # the contract's word
from andon.incident.versions import Judged
from andon.inventory.model import Model
from andon.telemetry.plan import CategoryCoding, Coding, NumberCoding, PresenceCoding
from andon.telemetry.question import Question
from andon.telemetry.schema import LogicalType

REFERENCE_ROWS_MIN = 4 * ROWS_MIN
"""Fewest rows of a baseline."""
NAMES_TOLD = 12
"""So many columns are named in one warning."""
CLASSES_TOLD = 3
"""So many values of a column show what it holds."""
NUMBERS_MIN = 50
"""Numbers with a fraction, kept as text, are a measure and no names from so many on."""
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
"""A number as one is written; leading zeros make a code."""


def limits(model: Model, judged: Judged) -> Iterator[Warning]:
    """A warning for each; docs/scan-warnings.md lists them."""
    yield from (Warning("model_file", text) for text in model.warnings)
    if not judged.watched.names:
        text = (
            "the model file names no feature and no prediction that the reference has, so nothing was looked at: "
            "name the log's columns under `features:` and `prediction_column:`"
        )
        yield Warning("nothing_watched", text)
    yield from _lacking(model, judged)
    yield from _unread(model, judged)
    yield from _unknown_labels(model, judged)
    yield from _unknown_delay(model, judged)
    yield from _absent(judged)
    yield from _read_as_numbers(judged)
    yield from _numbers_as_text(judged)
    yield from _unlike(judged)
    yield from _unevaluated(judged)


def _absent(judged: Judged) -> Iterator[Warning]:
    for name in judged.watched.names:
        if judged.history.absent(name):
            text = (
                f"{judged.watched.codings[name].column} has no usable value in the whole log, but has in the "
                "reference: nothing can be said of it; restore the column, or take it out of the model file"
            )
            yield Warning("absent_throughout", text)


def _unevaluated(judged: Judged) -> Iterator[Warning]:
    if len(judged.history.buckets) == 0:
        period, end = judged.log.period(), "the end of the log"
        if judged.now < period.end:
            period, end = Interval(period.start, judged.now), "--now"
        text = (
            f"no evaluation was over before {end}: the rows until then span {period.length}, one evaluation is "
            f"{judged.history.plan.grid.length}; give a shorter one with --every"
        )
        yield Warning("no_evaluation", text)


def _lacking(model: Model, judged: Judged) -> Iterator[Warning]:
    """What the log has and the reference lacks: it is compared with nothing."""
    columns = model.columns
    known, rows = judged.reference.schema().types, judged.reference.rows()
    if rows < REFERENCE_ROWS_MIN:
        text = f"the reference holds {rows:,} rows, too few to compare with: give it {REFERENCE_ROWS_MIN} or more"
        yield Warning("reference_small", text)
    named = dict.fromkeys((columns.prediction, columns.score, columns.version, *model.features, *model.slice_columns))
    there = [name for name in named if name in judged.log.schema().types]
    lacking = [str(name) for name in there if name not in known]
    if lacking:
        text = f"the reference has no {', '.join(lacking)}, so nothing can be said of it: name a reference that has it"
        yield Warning("reference_lacks", text)


def _unread(model: Model, judged: Judged) -> Iterator[Warning]:
    """Columns that are looked at, of which only absence is counted, as they hold neither numbers nor categories."""
    types, watched = judged.reference.schema().types, judged.watched
    columns = [watched.codings[name].column for name in watched.names]
    unread = [each for each in dict.fromkeys(columns) if types.get(each) in (LogicalType.OTHER, LogicalType.TIME)]
    if unread:
        text = (
            f"{_few(unread)} of the reference hold times, lists, structures or bytes, of which only their absence "
            "is looked at: write what is in them as numbers, text or truth values"
        )
        yield Warning("only_absence", text)
    score = model.columns.score
    if score in types and types[str(score)] is not LogicalType.NUMBER:
        text = f"{score}, the `score_column`, holds no numbers in the reference, so the score is not looked at"
        yield Warning("score_unread", f"{text}: write it as numbers")
    cut = {*watched.slices, *watched.cuts}
    whole = [each for each in model.slice_columns if each in types and each not in cut]
    if whole:
        text = (
            f"traffic is not compared by {_few(whole)}: in the reference fewer than two values of it have "
            f"{SLICE_ROWS_MIN} rows; name a longer reference, or a column of fewer values"
        )
        yield Warning("segment_uncut", text)
    answers, favourable = watched.codings.get(PREDICTION), model.favourable_prediction
    if favourable is not None and isinstance(answers, CategoryCoding) and favourable not in answers.values:
        text = (
            f"the `favourable_prediction` {favourable!r} is no answer that the reference holds in {answers.column}: "
            f"write it as it stands there, such as {', '.join(map(repr, answers.values[:CLASSES_TOLD]))}"
        )
        yield Warning("favourable_unknown", text)


def _read_as_numbers(judged: Judged) -> Iterator[Warning]:
    """Columns that are numbers in the reference and something else here: a query of one's own has to turn them too."""
    kinds = judged.log.schema().types
    codings = [judged.watched.codings[name] for name in judged.watched.names]
    read = [each for coding in codings if isinstance(coding, NumberCoding) for each in (coding.column, coding.minus)]
    named = [each for each in dict.fromkeys(read) if each is not None and each in kinds]
    other = [each for each in named if kinds[each] is not LogicalType.NUMBER]
    if other:
        text = (
            f"{_few(other)}: not stored as numbers in the log, but in the reference, so read as numbers, with null for "
            "a value that is none; a query has to do the same; write numbers"
        )
        yield Warning("read_as_numbers", text)


def _numbers_as_text(judged: Judged) -> Iterator[Warning]:
    """Numbers that the reference keeps as text: values that are near one another are then only different ones."""
    kinds, watched = judged.reference.schema().types, judged.watched
    codings = {watched.codings[name].column: watched.codings[name] for name in watched.names}
    texts = [name for name in codings if kinds.get(name) is LogicalType.TEXT]
    numbers = [name for name in texts if _holds_numbers(judged, codings[name])]
    if numbers:
        text = (
            f"{_few(numbers)}: numbers stored as text in the reference, which are looked at as names are, so it may "
            "not be seen that they grow or shrink; write them as numbers, in the log too"
        )
        yield Warning("numbers_as_text", text)


def _holds_numbers(judged: Judged, coding: Coding) -> bool:
    """Whether the texts of a column are numbers and no codes: too many to be told apart, or with a fraction."""
    if isinstance(coding, CategoryCoding):
        is_measure = len(coding.values) >= NUMBERS_MIN and any("." in value for value in coding.values)
        return is_measure and all(map(_NUMBER.fullmatch, coding.values))
    if not isinstance(coding, PresenceCoding):
        return False
    values = judged.reference.profile_category(coding.column).values
    return len(values) >= NUMBERS_MIN and all(_NUMBER.fullmatch(value) for value, _ in values)


def _unlike(judged: Judged) -> Iterator[Warning]:
    """Columns that are other than in the reference from the first rows on, so that nothing began within the log."""
    watched, history = judged.watched, judged.history
    names = [name for name in watched.names if not history.absent(name) and history.unlike_from_the_start(name)]
    if names:
        text = (
            f"{_few([watched.codings[name].column for name in names])} hardly ever has a value here that the reference "
            "has, from the first rows on: nothing began within the log, so no incident is raised for it; check what "
            "feeds it, or name a reference of the same kind"
        )
        yield Warning("unlike_reference", text)


def _few(names: Sequence[str]) -> str:
    """The first names, and how many more."""
    more = len(names) - NAMES_TOLD
    return ", ".join(names[:NAMES_TOLD]) + (f" and {more:,} more" if more > 0 else "")


def _unknown_labels(model: Model, judged: Judged) -> Iterator[Warning]:
    """Why nobody can say whether answers were right, where the model file names a label."""
    columns, watched, history = model.columns, judged.watched, judged.history
    answers = watched.codings.get(LABEL)
    if columns.label is None:
        return
    if columns.label_time is None and model.label_delay is None:
        text = (
            f"nothing says when the labels of {columns.label} arrived, so no evaluation may use them: name their "
            "times as `label_time_column:`, or the usual delay as `label_delay_days_median:`"
        )
        yield Warning("labels_without_arrival", text)
        return
    is_empty = answers is None or (isinstance(answers, CategoryCoding) and not answers.values)
    if is_empty and columns.label in judged.log.schema().types:
        text = (
            f"the reference has no labels in {columns.label}, so nobody can say whether answers are wrong more often "
            "than before: name a reference with labels"
        )
        yield Warning("reference_unlabelled", text)
        return
    if watched.classes is not None and not alike(*(each.values for each in watched.classes)):
        label, answer = ((each.column, ", ".join(map(repr, each.values[:CLASSES_TOLD]))) for each in watched.classes)
        text = (
            f"no answer is ever right: the reference holds {label[1]} in {label[0]} and {answer[1]} in {answer[0]}, "
            "with no value in common; write labels and answers alike"
        )
        yield Warning("labels_unlike_answers", text)
    asked = next((cube for cube in history.plan.cubes if cube.known_at and cube.age is None), None)
    if asked is not None and len(history.buckets) and not len(history.known_counts(*asked.columns).counts):
        text = (
            f"no label in {columns.label} had arrived when the log ends, so nobody can say whether answers were right: "
            "fill in the labels, and mend their times or the delay that the model file states"
        )
        yield Warning("no_label_arrived", text)


def _unknown_delay(model: Model, judged: Judged) -> Iterator[Warning]:
    """That the reference does not say when its labels arrived, though the log does, and what that means."""
    column, reference, watched = model.columns.label_time, judged.reference, judged.watched
    labels = watched.codings.get(LABEL)
    if column is None or labels is None or (isinstance(labels, CategoryCoding) and not labels.values):
        return
    is_there, timed = column in reference.schema().types, Question(f"not ({is_null(column)})", reference.period().end)
    if is_there and (watched.ripeness is not None or reference.answer(timed).count):
        return
    lacks = f"the reference has no {'time in ' if is_there else ''}{column}, by which labels arrive"
    delay = model.label_delay
    if delay is not None and not is_there:
        text = (
            f"{lacks}, so its labels count as known {delay / timedelta(days=1):g} days later, as the model file states"
        )
    else:
        text = (
            f"{lacks}, so their delay is not known, and errors are judged by when labels came, not by when was decided"
        )
    yield Warning("reference_label_times", f"{text}: name a reference that has those times")
