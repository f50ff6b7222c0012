"""The ledger of this machine: its folder, its key, and the services over it."""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from andon.adapters.artifacts import ArtifactStore
from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.recovery import signed_checkpoint
from andon.adapters.segments.snapshot import Snapshot
from andon.adapters.zip_bundle import ZipBundle
from andon.base.errors import BadInput, NotFound, Refused, Tampered, Unavailable
from andon.bootstrap import positions
from andon.bootstrap.beside import Beside, server_in
from andon.bootstrap.chance import many_random_bytes
from andon.bootstrap.event_files import lines_in
from andon.bootstrap.logs import WRITER, logs_beside, open_log, require_log, settings_of, writers_in
from andon.bootstrap.model_files import read_model
from andon.bootstrap.packs import pack
from andon.bootstrap.settings import data_folder, retention_days_min, server_at
from andon.bootstrap.signing import signer_of
from andon.evidence.custody import Custody
from andon.inventory.model import Model
from andon.ledger.checkpoint import Signer
from andon.ledger.entry import Entry, parse_header
from andon.services.audit import Audit
from andon.services.export import Export, Exported
from andon.services.ingest import Ingest
from andon.services.record import Record, Recorded, check_lines
from andon.services.retain import Retain, Retained
from andon.telemetry.event import Event
from andon.telemetry.versions import together
from andon.telemetry.vitals import ByVersion, vitals_of


@dataclass(slots=True)
class Ledger:
    """An opened ledger; the journal beside it is opened when an act of custody needs it."""

    log: SegmentLog
    signer: Signer
    store: ArtifactStore
    data: Path
    opened: ExitStack
    _custody: Custody | None = field(default=None, init=False)
    _seen: ByVersion = field(default_factory=dict, init=False)

    @property
    def record(self) -> Record:
        return Record(self.log, _now, many_random_bytes, self._watch)

    def _watch(self, events: Sequence[Event]) -> None:
        self._seen = vitals_of(events)

    def ingest(self) -> Ingest:
        """Takes entries, and knows what was taken before."""
        ingest = Ingest(self.log, self.record.entries, _now, seen=lambda: self._seen)
        positions.resume(ingest, self.log.folder)
        self.opened.callback(positions.keep, ingest, self.log.folder)
        return ingest

    @property
    def audit(self) -> Audit:
        known = positions.versions_beside(self.data / "ledger")
        custody = self.custody()
        parts = self.log, self.signer.verifier, _now, secrets.token_bytes, custody
        writer = self.log.folder.name
        return Audit(*parts, lambda name: together(known, name), lambda: logs_beside(self.data / "ledger", writer))

    def custody(self) -> Custody:
        """Enters acts in the journal; what a crash left undone is done first."""
        if self._custody is None:
            from andon.bootstrap.journal import open_journal  # noqa: PLC0415  # the database's library takes its time

            journal = self.opened.enter_context(open_journal(self.data)).journal
            self._custody = Custody(self.log, self.signer.verifier.name, journal, secrets.token_bytes)
            self._custody.finish()
        return self._custody

    def retain(self, days: int, *, dry_run: bool) -> Retained:
        """Delete the oldest segments that are older and not held."""
        return Retain(self.log, _now, self.custody(), retention_days_min()).retain(days, dry_run=dry_run)

    def export(self, seal_id: str, out: Path, *, redact: bool) -> Exported:
        """Write the bundle of a seal to a file, whole or not at all."""
        if not out.parent.is_dir():
            raise BadInput(f"cannot write {out}: there is no folder {out.parent}; make it, or name another file")
        verify = pack("bundle").joinpath("verify.py").read_bytes()
        readme = pack("bundle").joinpath("README.txt").read_text(encoding="utf-8")
        job = Export(
            self.log, self.signer.verifier, _now, secrets.token_bytes, self.custody(), verify, readme, self.store.read
        )
        try:
            with ZipBundle(out) as sink:
                return job.export(seal_id, sink, out.name, redact=redact)
        except OSError as error:
            raise BadInput(f"cannot write {out}: {error.strerror}; name a file where there is room") from None


@contextmanager
def open_ledger(data: str | None, *, make: bool = False, writer: str = WRITER) -> Iterator[Ledger | Beside]:
    """The ledger and its log of one writer, for as long as a command runs: opened here, or by the server that holds it.

    Raises:
        NotFound: there is no such log.
    """
    folder = ledger_folder(data, make=make)
    if writer != WRITER:
        require_log(folder, writer)
    with ExitStack() as stack:
        store = ArtifactStore(folder.parent / "artifacts")
        try:
            found: Ledger | Beside = stack.enter_context(_opened(folder, store, writer))
        except Refused:
            server = server_in(folder.parent, writer)
            if server is None:
                raise
            found = Beside(server, signer_of(folder, writer), store)
        try:
            yield found
        except OSError as error:
            raise Unavailable(
                f"cannot use {error.filename or folder}: {error.strerror}; mend its permissions or the disk"
            ) from None


def retain_everywhere(data: str | None, days: int, *, dry_run: bool) -> dict[str, Retained]:
    """Delete the oldest segments that are older and not held, of each writer's log; what became of each."""
    done = {}
    for writer in dict.fromkeys((WRITER, *writers_in(ledger_folder(data)))):
        with open_ledger(data, writer=writer) as ledger:
            done[writer] = ledger.retain(days, dry_run=dry_run)
    return done


def ledger_folder(data: str | None, *, make: bool = False) -> Path:
    """The folder of the ledger in a data folder.

    Raises:
        NotFound: there is none, and none is to be made.
    """
    folder = data_folder(data) / "ledger"
    try:
        is_there = (folder / "signing.key").exists() or any(folder.glob("*/wal"))
    except OSError as error:
        raise BadInput(f"cannot use {folder.parent}: {error.strerror}; name another folder with --data") from None
    if not make and not is_there:
        raise NotFound(f"there is no ledger in {folder.parent}: record something first, or name its folder with --data")
    return folder


@contextmanager
def _opened(folder: Path, store: ArtifactStore, writer: str) -> Iterator[Ledger]:
    try:
        opened_log = open_log(folder, writer)
    except Refused:
        if (server := server_at(folder.parent, writer)) is not None:
            raise Refused(f"{server} writes to {folder.parent}: stop it first") from None
        raise
    with opened_log as log, ExitStack() as opened:
        yield Ledger(log, log.signer, store, folder.parent, opened)


def record_rows(
    ledger: Ledger | Beside,
    paths: Sequence[str],
    model_file: str,
    tell: Callable[[int], None],
    producer: str | None = None,
) -> Recorded:
    """Record the rows of a log that a model.yaml describes; the same files with the same model file only once."""
    from andon.adapters.duckdb.events import events_of  # noqa: PLC0415  # the reader of logs takes its time

    name = producer or _producer_of([*paths, model_file])
    return ledger.record.record(events_of(paths, read_model(model_file)), ledger.ingest(), tell, name)


def record_lines(
    ledger: Ledger | Beside, paths: Sequence[str], tell: Callable[[int], None], producer: str | None = None
) -> Recorded:
    """Record files of JSON lines that are events; they are checked whole before the first of them is recorded.

    Each is recorded once, however it is called; where `producer` names them, they are its lines, one after the other.
    """
    for path in paths:
        try:
            check_lines(lines_in(path))
        except BadInput as error:
            told = str(error) if path in str(error) else f"{path}: {error}"
            raise BadInput(f"{told}; nothing was recorded") from None
    ingest = ledger.ingest()
    if producer is not None:
        return ledger.record.record((line for path in paths for line in lines_in(path)), ingest, tell, producer)
    done: list[Recorded] = []
    for path in paths:
        before = sum(each.events + each.repeated for each in done)
        told_on = lambda count, before=before: tell(before + count)  # noqa: E731
        done.append(ledger.record.record(lines_in(path), ingest, told_on, _producer_of([path])))
    events, repeated = (sum(counts) for counts in zip(*((each.events, each.repeated) for each in done), strict=True))
    return Recorded(events, repeated, done[0].first, done[-1].end)


LOOKED_AT = 1_000
"""So many new entries are looked at for a prediction: a recording of labels alone has none."""


def known_before(ledger: Ledger | Beside, done: Recorded) -> tuple[str, int] | None:
    """The first prediction that was recorded, where an earlier entry is one of the same model and id; and its number.

    It costs one look, and finds a log that was recorded whole for the second time, under another name of a producer.
    """
    if isinstance(ledger, Beside) or not done.events:
        return None
    fields = (parse_header(header) for _, header in islice(ledger.log.headers(done.first), LOOKED_AT))
    new = next((each for each in fields if each["kind"] == "prediction"), None)
    if new is None:
        return None
    with suppress(Tampered):  # what was recorded is on the disk; `verify log` is who tells of that
        found = ledger.log.find(new["id"])
        if found is not None and found[0] < done.first and _is_of(found[1], new):
            return new["id"], found[0]
    return None


def _is_of(entry: Entry, new: Mapping[str, Any]) -> bool:
    """Whether an entry is of the same kind and model; models may name their decisions alike."""
    fields = parse_header(entry.header)
    return all(fields.get(key) == new[key] for key in ("kind", "model_id"))


def _producer_of(paths: Sequence[str]) -> str | None:
    """A name that the content of files gives, so that they are known when they are recorded again."""
    digest = sha256()
    for path in paths:
        if not Path(path).is_file():
            return None
        with Path(path).open("rb") as file:
            digest.update(file_digest(file, "sha256").digest())
    return f"files-{digest.hexdigest()[:32]}"


@contextmanager
def ledger_rows(model: Model, data: str | None = None) -> Iterator[Path]:
    """A model's recorded decisions, each with its latest outcome, as a temporary file of JSON lines.

    The files are read as they stand, those of every server that writes to the folder: all that was acknowledged is in
    them, whether a server runs or not.

    Raises:
        NotFound: nothing was recorded of this model.
    """
    from andon.adapters.duckdb.events import row_of  # noqa: PLC0415  # as above

    logs = _snapshots(ledger_folder(data))
    with tempfile.TemporaryDirectory(prefix="andon-") as folder:
        path, count = Path(folder) / "ledger.jsonl", 0
        outcomes = _outcomes(logs, model)
        with path.open("wb") as file:
            for kind, fields, entry in (event for log in logs for event in _events(log, model)):
                if kind != "prediction":
                    continue
                count += 1
                row = row_of(entry.payload, model)
                _, label, known = outcomes.get(fields["id"], (None, None, None))
                if model.columns.label is not None:
                    row[model.columns.label] = label
                if model.columns.label_time is not None:
                    row[model.columns.label_time] = known
                file.write(orjson.dumps(row) + b"\n")
        if not count:
            raise NotFound(f"the ledger holds no prediction of {model.id}: record its log first")
        yield path


def _snapshots(folder: Path) -> list[Snapshot]:
    """The logs in a ledger's folder; one that was never written to is none."""
    found = []
    for place in sorted(folder.glob("w-*")):
        verifier = signer_of(folder, place.name).verifier
        if signed_checkpoint(place, verifier) is not None:
            found.append(Snapshot(place, verifier, settings_of(folder, place.name)))
    return found


def _outcomes(logs: Sequence[Snapshot], model: Model) -> dict[str, tuple[str, Any, str]]:
    """The latest outcome of each decision: when it was recorded, the label, since when it is known."""
    from andon.adapters.duckdb.events import label_of  # noqa: PLC0415  # as above

    found: dict[str, tuple[str, Any, str]] = {}
    for log in logs:
        latest = {
            fields["id"]: (fields["at"], label_of(entry.payload), fields["ts"])
            for kind, fields, entry in _events(log, model)
            if kind == "outcome"  # the order within a log is the truth; between logs, the time of recording
        }
        found |= {name: each for name, each in latest.items() if name not in found or each[0] >= found[name][0]}
    return found


def _events(log: Snapshot, model: Model) -> Iterator[tuple[str, dict[str, str], Entry]]:
    for _, entry in log.read():
        fields = parse_header(entry.header)
        if fields.get("model_id") == model.id and "ts" in fields:
            yield fields["kind"], fields, entry


def _now() -> datetime:
    return datetime.now(UTC)


def check_only(paths: Sequence[str], model_file: str | None) -> int:
    """How many events there are to record; nothing is recorded.

    Raises:
        BadInput: some are none.
    """
    from andon.adapters.duckdb.events import events_of  # noqa: PLC0415  # as above

    source = events_of(paths, read_model(model_file)) if model_file else (line for p in paths for line in lines_in(p))
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in source:
            count += not line.isspace()
            yield line

    check_lines(counted())
    return count
