"""Builds what a command needs: the model as declared, the logs behind their engine, the service over both."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from andon.adapters.duckdb.log import open_log
from andon.adapters.duckdb.objects import Storage
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


def scan_log(
    logs: Sequence[str],
    model: Model,
    reference: str | None = None,
    *,
    every: timedelta | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Replay a log (files, globs, folders) and report the silent failures in it."""
    if reference is None:
        raise BadInput("a scan needs rows of a period known to be good: name their file with --reference")
    defaults = {slug: kind.default_severity for slug, kind in load_taxonomy().types.items()}
    storage = Storage(_s3_endpoint())
    with ExitStack() as opened:
        known_good = opened.enter_context(open_log([reference], model, storage=storage))
        types = known_good.schema()
        log = opened.enter_context(open_log(list(logs), model, types=types, storage=storage, before=now))
        request = Request(log, known_good, resolve_columns(model, log.schema()), every, now)
        scan = Watch(DETECTORS, defaults).scan(request, progress)
        about_files = (Warning(code, text) for code, text in dict.fromkeys((*known_good.warnings, *log.warnings)))
        return replace(scan, warnings=(*about_files, *scan.warnings))


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
