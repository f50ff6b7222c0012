"""The ledger of this machine: its folder, its key, and the services over it."""

import base64
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import orjson

from andon.adapters.duckdb.events import events_of, row_of
from andon.adapters.segments.closer import Child
from andon.adapters.segments.log import SegmentLog, Settings
from andon.adapters.segments.verify import Checked, verify_folder
from andon.adapters.zip_bundle import ZipBundle
from andon.base.errors import BadInput, NotFound
from andon.bootstrap.packs import pack
from andon.bootstrap.wiring import read_model
from andon.evidence.hold import RELEASERS
from andon.inventory.model import Model
from andon.ledger.checkpoint import Signer
from andon.ledger.entry import Entry, parse_header
from andon.services.audit import Audit
from andon.services.export import Export, Exported
from andon.services.record import Record, Recorded, check_lines

WRITER = "w-main"
APPROVALS = {"two_person": RELEASERS, "one_person": 1}


def data_folder(given: str | None) -> Path:
    """Where the data stand: `--data`, else ANDON_HOME, else the user's folder."""
    return Path(given or os.environ.get("ANDON_HOME") or Path.home() / ".local" / "share" / "andon")


@dataclass(frozen=True, slots=True)
class Ledger:
    """An opened ledger."""

    log: SegmentLog
    signer: Signer

    @property
    def record(self) -> Record:
        return Record(self.log, _now, secrets.token_bytes)

    @property
    def audit(self) -> Audit:
        return Audit(self.log, self.signer.verifier, _now, secrets.token_bytes)

    def export(self, seal_id: str, out: Path, *, redact: bool) -> Exported:
        """Write the bundle of a seal to a file, whole or not at all."""
        if not out.parent.is_dir():
            raise BadInput(f"cannot write {out}: there is no folder {out.parent}; make it, or name another file")
        verify = pack("bundle").joinpath("verify.py").read_bytes()
        readme = pack("bundle").joinpath("README.txt").read_text(encoding="utf-8")
        job = Export(self.log, self.signer.verifier, _now, secrets.token_bytes, verify, readme)
        try:
            with ZipBundle(out) as sink:
                return job.export(seal_id, sink, out.name, redact=redact)
        except OSError as error:
            raise BadInput(f"cannot write {out}: {error.strerror}; name a file where there is room") from None


@contextmanager
def open_ledger(data: str | None, *, make: bool = False) -> Iterator[Ledger]:
    """The ledger, for as long as a command runs; no other process may write to it meanwhile."""
    folder = data_folder(data) / "ledger"
    if not make and not (folder / "signing.key").exists():
        raise NotFound(f"there is no ledger in {folder.parent}: record something first, or name its folder with --data")
    signer = _signer(folder)
    settings = Settings(
        analysis=folder.parent / "analysis", key=_secret(folder / "pseudonym.key"), closer=lambda _: Child()
    )
    with SegmentLog(folder / WRITER, signer, _now, settings=settings) as log:
        yield Ledger(log, signer)


def verify_ledger(data: str | None, tell: Callable[[int], None] | None = None) -> Checked:
    """Check every byte of the ledger."""
    with open_ledger(data) as ledger:
        return verify_folder(ledger.log, ledger.signer.verifier, tell)


def record_rows(ledger: Ledger, paths: Sequence[str], model_file: str, tell: Callable[[int], None]) -> Recorded:
    """Record the rows of a log that a model.yaml describes."""
    return ledger.record.record(events_of(paths, read_model(model_file)), tell)


def record_lines(ledger: Ledger, paths: Sequence[str], stdin: BinaryIO, tell: Callable[[int], None]) -> Recorded:
    """Record JSON lines that are events; files are checked whole before the first of them is recorded."""
    if list(paths) == ["-"]:
        return ledger.record.record(stdin, tell)
    for path in paths:
        check_lines(_lines(path))
    return ledger.record.record((line for path in paths for line in _lines(path)), tell)


def _lines(path: str) -> Iterator[bytes]:
    try:
        with Path(path).open("rb") as file:
            yield from (line for line in file if line.strip())
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}; name a file of JSON lines") from None


@contextmanager
def ledger_rows(model: Model, data: str | None = None) -> Iterator[Path]:
    """A model's recorded decisions, each with its latest outcome, as a temporary file of JSON lines.

    Raises:
        NotFound: nothing was recorded of this model.
    """
    with tempfile.TemporaryDirectory(prefix="andon-") as folder, open_ledger(data) as ledger:
        path, count = Path(folder) / "ledger.jsonl", 0
        outcomes = {}
        for kind, fields, entry in _events(ledger, model):
            if kind == "outcome":
                outcomes[fields["id"]] = (orjson.loads(entry.payload)["label"], fields["ts"])
        with path.open("wb") as file:
            for kind, fields, entry in _events(ledger, model):
                if kind != "prediction":
                    continue
                count += 1
                row = row_of(entry.payload, model)
                label, known = outcomes.get(fields["id"], (None, None))
                if model.columns.label is not None:
                    row[model.columns.label] = label
                if model.columns.label_time is not None:
                    row[model.columns.label_time] = known
                file.write(orjson.dumps(row) + b"\n")
        if not count:
            raise NotFound(f"the ledger holds no prediction of {model.id}: record its log first")
        yield path


def _events(ledger: Ledger, model: Model) -> Iterator[tuple[str, dict[str, str], Entry]]:
    for _, entry in ledger.log.read():
        fields = parse_header(entry.header)
        if fields.get("model_id") == model.id and "ts" in fields:
            yield fields["kind"], fields, entry


def people_needed() -> int:
    """How many people a release needs, by ANDON_APPROVAL."""
    name = os.environ.get("ANDON_APPROVAL", "two_person")
    if name not in APPROVALS:
        raise BadInput(f"ANDON_APPROVAL is {name!r}: set it to {' or '.join(APPROVALS)}")
    return APPROVALS[name]


def _signer(folder: Path) -> Signer:
    return Signer(f"andon.local/{WRITER}", _secret(folder / "signing.key"))


def _secret(path: Path) -> bytes:
    """32 random bytes in a file, made at the first use."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(base64.b64encode(secrets.token_bytes(32)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        found = base64.b64decode(path.read_bytes(), validate=False)
    except OSError as error:
        raise BadInput(f"cannot use {path.parent}: {error.strerror}; name another folder with --data") from None
    if len(found) != 32:  # noqa: PLR2004
        raise BadInput(f"{path} is damaged: put back the key that this ledger was begun with")
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def bundle_verifier() -> bytes:
    """The program that checks a bundle."""
    return pack("bundle").joinpath("verify.py").read_bytes()


def check_only(paths: Sequence[str], model_file: str | None) -> int:
    """How many events there are to record; nothing is recorded.

    Raises:
        BadInput: some are none.
    """
    source = events_of(paths, read_model(model_file)) if model_file else (line for p in paths for line in _lines(p))
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in source:
            count += 1
            yield line

    check_lines(counted())
    return count
