"""Builds what a command needs: the model as declared, the logs behind their engine, the service over both."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

from andon.adapters.duckdb.log import DuckDBLog, open_log
from andon.adapters.duckdb.objects import Storage
from andon.adapters.duckdb.outcomes import ALIAS, OF_NO_PREDICTION, Outcomes
from andon.adapters.duckdb.place import find_place
from andon.adapters.duckdb.tables import Part
from andon.base.errors import BadInput
from andon.base.interval import Interval
from andon.base.nearest import nearest
from andon.base.predicate import is_null
from andon.bootstrap.figures import figures_of
from andon.bootstrap.own_reference import NEEDED, TooShort, earliest_stable_part
from andon.bootstrap.packs import floors
from andon.bootstrap.pin import Memory, of_model
from andon.detect.registry import DETECTORS
from andon.detect.surrogate import ROWS_MIN
from andon.incident.scan import Scan, Warning  # noqa: A004  # the contract's word
from andon.inventory.columns import differing_types, resolve_columns
from andon.inventory.model import Model
from andon.services.illustrate import Illustrate, Subject
from andon.services.watch import Progress, Request, Watch
from andon.telemetry.question import Question
from andon.telemetry.source import LogSource

MODELS_MAX = 100
"""More values than this in `model_column` are no models' names."""
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
_SHOWN_MODELS = 12


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels that live elsewhere: what the user named, and the column that both sides share (None: the id)."""

    place: str
    on: str | None = None


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan, in the words of the user.

    Attributes:
        logs: files, globs, folders, prefixes, or one table.
        reference: a place of known-good rows; None: the earliest stable part of the log.
        labels: labels that live elsewhere.
        model_id: of a log of several models, the one to scan.
        every, now: as in `services.watch.Request`.
        illustrate: whether to make the figures to draw.
        memory: keeps what the scan saw, so that it can be done again without the rows.
    """

    logs: Sequence[str]
    reference: str | None = None
    labels: Labels | None = None
    model_id: str | None = None
    every: timedelta | None = None
    now: datetime | None = None
    illustrate: bool = False
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class _Models:
    """The models in a log, by name, and what is to be told of its rows and its labels as a whole."""

    log: str
    names: tuple[str, ...]
    told: tuple[Warning, ...]


def scan_models(request: ScanRequest, model: Model, progress: Progress | None = None) -> tuple[Scan, ...]:
    """One scan per model of a log of several (`model_column`), or of the one that is asked for.

    Raises:
        BadInput: an input cannot be used, the model asked for is not in the log, or none is long enough.
    """
    column = model.columns.model
    if column is None:
        if request.model_id not in (None, model.id):
            mend = "name the column that tells models apart as `model_column`, or leave --model-id out"
            raise BadInput(f"--model-id {request.model_id}: the model file is about {model.id} alone; {mend}")
        return (_scan(request, model, None, progress),)
    models = _models_in(request, model, column)
    if request.model_id is not None:
        if request.model_id not in models.names:
            near = nearest(request.model_id, models.names)
            meant = f"did you mean {near}?" if near else f"it holds {', '.join(models.names[:_SHOWN_MODELS])}"
            raise BadInput(f"--model-id {request.model_id}: the log holds no decision of that model; {meant}")
        models = replace(models, names=(request.model_id,))
    return _scan_each(request, model, models, progress)


def _scan_each(request: ScanRequest, model: Model, models: _Models, progress: Progress | None) -> tuple[Scan, ...]:
    """The scans of the models that are long enough; of the others a warning."""
    scans: list[Scan] = []
    short: dict[str, int] = {}
    for name in models.names:
        try:
            scans.append(_scan(request, replace(model, id=name), (str(model.columns.model), name), progress))
        except TooShort as error:
            if len(models.names) == 1:
                raise
            short[name] = error.rows
    if not scans:
        raise BadInput(
            f"none of the {len(short)} models of {models.log} is long enough to be judged by its own beginning,"
            f" {_lengths(short)}: {NEEDED}"
        )
    told = (*models.told, *_of_short_models(short, len(models.names)))
    return tuple(replace(scan, warnings=(*told, *scan.warnings)) for scan in scans)


def _of_short_models(short: Mapping[str, int], of: int) -> Iterator[Warning]:
    if short:
        are = "was not scanned, as it is" if len(short) == 1 else "were not scanned, as they are"
        own = "its" if len(short) == 1 else "their"
        text = f"{len(short)} of {of} models {are} too short to be judged by {own} own beginning, {_lengths(short)}"
        yield Warning("models_too_short", f"{text}: {NEEDED}")


def _lengths(short: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name!r} with {_counted(rows)}" for name, rows in list(short.items())[:_SHOWN_MODELS])
    return shown + (" …" if len(short) > _SHOWN_MODELS else "")


def _counted(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _models_in(request: ScanRequest, model: Model, column: str) -> _Models:
    part = Part(before=None if request.now is None else (model.columns.time, request.now.isoformat()))
    storage = Storage(s3_endpoint())
    outcomes = _outcomes(request.labels, storage)
    with open_log(list(request.logs), model, storage=storage, part=part, outcomes=outcomes) as log:
        if column not in log.schema().types:
            near = nearest(column, log.schema().names)
            meant = f"did you mean {near}?" if near else "mend `model_column` in the model file"
            raise BadInput(f"{log.name} has no column {column!r}, by which models are told apart: {meant}")
        found = log.profile_category(column)
        told = (*_of_no_model(log, column), *(each for each in log.warnings if each[0] == OF_NO_PREDICTION))
    if found.distinct > MODELS_MAX:
        raise BadInput(
            f"{log.name} has {found.distinct:,} values in {column!r}, too many for the names of models: mend"
            " `model_column`"
        )
    if not found.values:
        raise BadInput(f"{log.name} has no value in {column!r}: fill in the model's name, or drop `model_column`")
    names = tuple(sorted(each for each, _ in found.values))
    return _Models(log.name, names, tuple(Warning(code, text) for code, text in told))


def _of_no_model(log: DuckDBLog, column: str) -> Iterator[tuple[str, str]]:
    """A warning about rows that belong to no model, when there are some."""
    nameless = log.answer(Question(is_null(column), log.period().end)).count
    if nameless:
        text = f"{nameless:,} of {log.rows():,} rows name no model in {column!r}; they were not scanned"
        yield "rows_of_no_model", text


def scan_log(  # noqa: PLR0913  # what a user may say about a scan
    logs: Sequence[str],
    model: Model,
    reference: str | None = None,
    *,
    labels: Labels | None = None,
    every: timedelta | None = None,
    now: datetime | None = None,
    illustrate: bool = False,
    progress: Progress | None = None,
) -> Scan:
    """Replay the log of one model and report the silent failures in it, with the figures to draw if asked."""
    return _scan(ScanRequest(logs, reference, labels, None, every, now, illustrate), model, None, progress)


def _scan(asked: ScanRequest, model: Model, equal: tuple[str, str] | None, progress: Progress | None) -> Scan:
    stretches, about_part = WHOLE if asked.reference is not None else _own_reference(asked, model, equal)
    with ExitStack() as opened:
        known_good, log = (opened.enter_context(each) for each in _open(asked, model, equal, stretches))
        if model.features and known_good.time_of_row(ROWS_MIN) is not None:
            threading.Thread(target=_load_learner).start()  # a second, beside the reading
        seen: tuple[LogSource, LogSource] = (log, known_good)
        if asked.memory is not None:
            seen = asked.memory.watch(log, known_good, log.model, equal)
            if asked.memory.wants_figures:
                asked.memory.figures = figures_of(log, known_good, resolve_columns(log.model, log.schema()), asked.now)
        request = Request(*seen, resolve_columns(log.model, seen[0].schema()), asked.every, asked.now)
        scan = _watch().scan(request, progress)
        types = differing_types(request.model, log.schema(), known_good.schema())
        before = (each for each in known_good.warnings if each[0] != "text_times")  # no query of it is printed
        told = dict.fromkeys((*before, *log.warnings, *(("type_differs", text) for text in types)))
        about_files = (Warning(code, text) for code, text in (*about_part, *told))
        incidents = tuple(of_model(each, equal) for each in scan.incidents)
        scan = replace(scan, warnings=(*about_files, *scan.warnings), incidents=incidents)
        if asked.illustrate:
            subject = Subject(*seen, request.model, scan, asked.now or seen[0].period().end)
            scan = replace(scan, figures=Illustrate().draw(subject, progress))
        return scan


def _load_learner() -> None:
    with suppress(RuntimeError):  # who ends meanwhile, as on bad input, is not in need of it
        import_module("sklearn.ensemble")


def _watch() -> Watch:
    return Watch(DETECTORS, floors())


Stretches = tuple[Interval | None, Interval | None]
"""The stretches of time of the reference and of the log; None: all of it."""
WHOLE: tuple[Stretches, tuple[tuple[str, str], ...]] = ((None, None), ())


def _own_reference(
    asked: ScanRequest, model: Model, equal: tuple[str, str] | None
) -> tuple[Stretches, tuple[tuple[str, str], ...]]:
    """The log cut in two: its earliest stable part, and the rest; and what to tell of it."""

    def unrest(first: Interval, second: Interval) -> Interval | None:
        with ExitStack() as opened:
            known_good, log = (opened.enter_context(each) for each in _open(asked, model, equal, (first, second)))
            request = Request(log, known_good, resolve_columns(log.model, log.schema()), asked.every)
            found = _watch().scan(request).incidents
        starts = [max(each.started_at, second.start) for each in found]
        return Interval(min(starts), second.end) if starts else None

    part = Part(equal, before=None if asked.now is None else (model.columns.time, asked.now.isoformat()))
    storage = Storage(s3_endpoint())
    with open_log(list(asked.logs), model, storage=storage, part=part) as whole:
        name = whole.name if equal is None else f"model {equal[1]!r} of {whole.name}, with {_counted(whole.rows())},"
        chosen, is_stable = earliest_stable_part(whole, model, name, unrest, asked.now)
    text = (
        f"no --reference was named, so the log is judged by its own beginning, {_moment(chosen.start)} to"
        f" {_moment(chosen.end)} UTC: what was wrong then is not seen; name known-good rows with --reference"
    )
    told = [("own_reference", text)]
    if not is_stable:
        told.append(("own_reference_unstable", "that part is not stable either: incidents may be its restlessness"))
    return (chosen, Interval(chosen.end, FOREVER)), tuple(told)


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M}"


def _open(asked: ScanRequest, model: Model, equal: tuple[str, str] | None, stretches: Stretches) -> Iterator[DuckDBLog]:
    """The reference, then the log."""
    storage = Storage(s3_endpoint())
    places = list(asked.logs) if asked.reference is None else [asked.reference]
    outcomes = _outcomes(asked.labels, storage, is_reference=asked.reference is not None)
    known_good = open_log(places, model, storage=storage, part=Part(equal, stretch=stretches[0]), outcomes=outcomes)
    yield known_good
    before = None if asked.now is None else (model.columns.time, asked.now.isoformat())
    part = Part(equal, before=before, stretch=stretches[1])
    outcomes = _outcomes(asked.labels, storage, is_checked=equal is not None)
    yield open_log(list(asked.logs), model, types=known_good.schema(), storage=storage, part=part, outcomes=outcomes)


def _outcomes(
    labels: Labels | None, storage: Storage, *, is_reference: bool = False, is_checked: bool = False
) -> Outcomes | None:
    if labels is None:
        return None
    place = find_place(labels.place, storage, alias=ALIAS)
    return Outcomes(place, labels.on, is_complete=not is_reference, is_checked=is_checked)


def s3_endpoint() -> str | None:
    """The server to ask for `s3://`, by the variables that the AWS tools know."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
