"""Builds what a command needs: the model as declared, the logs behind their engine, the service over both."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from andon.adapters.duckdb.log import DuckDBLog, open_log
from andon.adapters.duckdb.objects import Storage
from andon.adapters.duckdb.outcomes import ALIAS, Outcomes
from andon.adapters.duckdb.place import find_place
from andon.adapters.duckdb.tables import Part
from andon.base.errors import BadInput
from andon.bootstrap.packs import load_taxonomy
from andon.detect.registry import DETECTORS
from andon.incident.scan import Scan, Warning  # noqa: A004  # the contract's word
from andon.inventory.columns import resolve_columns
from andon.inventory.model import Model
from andon.inventory.model_file import parse_model
from andon.services.watch import Progress, Request, Watch


def read_model(path: str, *, strict: bool = False) -> Model:
    """The model that a `model.yaml` declares."""
    content = _read_yaml(path)
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds no keys: write `id_column: …` and the other keys of a model.yaml into it")
    return parse_model(content, strict=strict)


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels that live elsewhere: what the user named, and the column that both sides share (None: the id)."""

    place: str
    on: str | None = None


def scan_log(  # noqa: PLR0913  # what a user may say about a scan
    logs: Sequence[str],
    model: Model,
    reference: str | None = None,
    *,
    labels: Labels | None = None,
    every: timedelta | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Replay the log of one model (files, prefixes or a table) and report the silent failures in it."""
    if reference is None:
        raise BadInput("a scan needs rows of a period known to be good: name their file with --reference")
    defaults = {slug: kind.default_severity for slug, kind in load_taxonomy().types.items()}
    with ExitStack() as opened:
        known_good, log = (opened.enter_context(each) for each in _open(logs, model, reference, labels, now))
        request = Request(log, known_good, resolve_columns(log.model, log.schema()), every, now)
        scan = Watch(DETECTORS, defaults).scan(request, progress)
        about_files = (Warning(code, text) for code, text in dict.fromkeys((*known_good.warnings, *log.warnings)))
        return replace(scan, warnings=(*about_files, *scan.warnings))


def _open(
    logs: Sequence[str], model: Model, reference: str, labels: Labels | None, now: datetime | None
) -> Iterator[DuckDBLog]:
    """The reference, then the log."""
    storage = Storage(_s3_endpoint())
    known_good = open_log([reference], model, storage=storage, outcomes=_outcomes(labels, storage, is_reference=True))
    yield known_good
    part = Part(before=None if now is None else (model.columns.time, now.isoformat()))
    outcomes = _outcomes(labels, storage)
    yield open_log(list(logs), model, types=known_good.schema(), storage=storage, part=part, outcomes=outcomes)


def _outcomes(labels: Labels | None, storage: Storage, *, is_reference: bool = False) -> Outcomes | None:
    if labels is None:
        return None
    place = find_place(labels.place, storage, alias=ALIAS)
    return Outcomes(place, labels.on, is_complete=not is_reference)


def _s3_endpoint() -> str | None:
    """The server to ask for `s3://`, by the variables that the AWS tools know."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def _read_yaml(path: str) -> object:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"there is no model file {path}: name the model.yaml with --model") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInput(f"cannot read the model file {path}: {reason}") from None
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadInput(f"{path}{line} is not valid YAML: {error.problem}; mend that line") from None
    except RecursionError:
        raise BadInput(f"{path} is nested too deep for a model file: write its keys one below the other") from None
    except ValueError as error:
        raise BadInput(f"{path} holds a value that does not exist ({error}): mend it, or put it in quotes") from None
    except yaml.YAMLError:
        raise BadInput(f"{path} is not valid YAML: a character in it is forbidden; save it as plain text") from None
