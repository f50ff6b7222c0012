"""`andon evidence seal`, `export`, `prove`, `hold`, `release`: parse, call the service, show."""

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from andon.base.errors import BadInput, NotFound, Refused
from andon.bootstrap.beside import Beside
from andon.bootstrap.ledger import Ledger, open_ledger, retain_everywhere
from andon.bootstrap.model_files import read_model
from andon.bootstrap.settings import FILES_FOLDER, data_folder, people_needed
from andon.evidence.hold import BEFORE, Hold, require_text
from andon.interfaces.cli import options, output
from andon.services.audit import Case
from andon.services.retain import Retained

MODEL_ID_BYTES_MAX: Final = 32_768
OURS: Final = ("ledger", "artifacts", FILES_FOLDER)
"""Folders in the data folder in which nobody else writes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to seal."""

    model: str
    reason: str
    since: str | None
    until: str | None
    scan: str | None
    artifacts: tuple[str, ...] = ()


def seal(asked: Asked, *, data: str | None, log: str, as_json: bool) -> None:
    """Seal and print the receipt."""
    facts: dict[str, Any] = {}
    given = None if asked.since is None else options.time(asked.since, "--since")
    until = None if asked.until is None else options.time(asked.until, "--until")
    model_id, files = asked.model, dict(_named_file(each) for each in asked.artifacts)
    if asked.model.endswith((".yaml", ".yml")):
        model = read_model(asked.model)
        model_id = model.id
        facts["model_yaml"] = Path(asked.model).read_text(encoding="utf-8")
        files = {name: Path(asked.model).parent / path for name, path in model.artifacts} | files
    pinned = {f"artifact-{name}": path for name, path in files.items()}
    members: dict[str, bytes] = {}
    started = given
    if asked.scan is not None:
        facts["scan"], anomaly, members = _scan(asked.scan)
        started = min((each for each in (given, anomaly) if each is not None), default=None)
    case = Case(model_id, _before(started), until, asked.reason, facts)
    _require_sound(case, pinned)  # before anything is kept
    with open_ledger(data, writer=log) as ledger:
        facts["pinned"] = ledger.store.pin_files(pinned) | ledger.store.pin(members)
        sealed = ledger.audit.seal(case)
        vkey = ledger.signer.verifier.vkey()
    document = {
        "seal_id": sealed.seal_id,
        "checkpoint": sealed.note,
        "size": sealed.size,
        "root": sealed.root,
        "entry": sealed.seq,
        "vkey": vkey,
        "other_logs": dict(sealed.others),
        "model_known": sealed.is_known,
    }
    if as_json:
        output.emit_json(document)
        return
    output.emit(
        f"{sealed.seal_id} holds {model_id}, under a signed tree of {sealed.size:,} entries. Keep this checkpoint"
        f" elsewhere: it shows any later change.\n\n{sealed.note}\nkey  {vkey}\n"
    )
    if not sealed.is_known:
        output.emit(
            f"note: no decision of {model_id} is known to be recorded so far; if the name is mistyped, seal the right"
            f" one and release this: andon evidence release {sealed.seal_id} --by NAME --reason TEXT\n"
        )
    for name, size in sealed.others.items():
        output.emit(
            f"{name}, the log of another server, is pinned by its checkpoint over {size:,} entries, and {model_id} is"
            f" held there too; for a bundle of it, seal it: andon evidence seal --log {name.rpartition('/')[2]} …\n"
        )


def _require_sound(case: Case, files: Mapping[str, Path]) -> None:
    """Refuse words that make no seal, and files that cannot be read."""
    require_text(case.model_id, "the model's id", "the id that its events carry")
    require_text(case.reason, "the reason", "why it is held, such as an incident's id")
    if len(json.dumps(case.model_id, ensure_ascii=False).encode()) > MODEL_ID_BYTES_MAX:
        raise BadInput(
            f"the model's id is longer than {MODEL_ID_BYTES_MAX:,} bytes: write the id that its events carry"
        )
    if case.since is not None and case.until is not None and case.until <= case.since:
        raise BadInput("--until is not after --since: give a later time")
    for name, path in files.items():
        _require_readable(name, path)


def _require_readable(name: str, path: Path) -> None:
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"cannot pin {path} as {name}: it is a folder, a device or a pipe; name a file")
        path.open("rb").close()
    except OSError as error:
        raise BadInput(f"cannot pin {path} as {name}: {error.strerror}; mend its path") from None


def _before(started: datetime | None) -> datetime | None:
    """When a hold begins; without a bound where the calendar has no such time."""
    try:
        return None if started is None else started - BEFORE
    except OverflowError:
        return None


def export(name: str, out: str, redact: str | None, *, data: str | None, log: str, as_json: bool) -> None:
    """Write a bundle."""
    if redact not in (None, "payload", "inputs"):
        raise BadInput(
            f"--redact {redact} is not known: write payload, or inputs, which is the same (all that is not the header)"
        )
    _require_place(out, data_folder(data))  # before the export is entered anywhere
    with open_ledger(data, writer=log) as ledger:
        seal_id = _named(ledger, name).id
        done = ledger.export(seal_id, Path(out), redact=redact is not None)
    if as_json:
        output.emit_json({"seal_id": seal_id, "file": out, **asdict(done)})
        return
    output.emit(
        f"{out} holds {done.entries:,} entries of {seal_id}, from {done.first:,} to {done.end - 1:,}.\n"
        f"Anybody checks it with: python3 -I -S verify.py {out}\n"
    )


def _require_place(out: str, data: Path) -> None:
    """Refuse a place where no bundle can or may be written; what is overwritten is an earlier bundle, or empty."""
    if not out.isprintable():
        raise BadInput(f"--out {out!a} holds control characters or bytes that are no text: name another file")
    output.require_place(out, (), "--out")
    output.require_file(out, "--out")
    path, place = Path(out), Path(out).parent.resolve()
    inside = [(data / name).resolve() for name in OURS]
    is_inside = any(place.is_relative_to(each) for each in inside)
    if is_inside or (place == data.resolve() and path.suffix != ".zip"):
        raise BadInput(f"cannot write {out}: Andon keeps its own files there; name a file outside of {data}")
    if path.is_symlink() and not path.exists():
        raise BadInput(f"cannot write {out}: it is a link to nothing; name another file")
    if path.exists() and path.stat().st_size and not _is_bundle(path):
        raise BadInput(f"cannot write {out}: it is there already and is no bundle; name another file, or remove it")


def _is_bundle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as zipped:
            return {"manifest.json", "checkpoint", "leaves.bin"} <= set(zipped.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def prove(entry: str, *, data: str | None, log: str) -> None:
    """Print a proof."""
    with open_ledger(data, writer=log) as ledger:
        output.emit_json(ledger.audit.prove(entry))


def holds(*, data: str | None, log: str, as_json: bool) -> None:
    """List the holds."""
    with open_ledger(data, writer=log) as ledger:
        found = ledger.audit.holds()
    if as_json:
        output.emit_json({"holds": [asdict(hold) for hold in found]})
        return
    for hold in found:
        state = "released" if hold.is_released else "held"
        window = f"{hold.since or 'the beginning'} to {hold.until or 'now'}"
        output.emit(f"{hold.id}  {state:8}  {hold.model_id}  {window}  {hold.reason}\n")
    if not found:
        output.emit("nothing is held\n")


def retain(days: int, *, data: str | None, as_json: bool, dry_run: bool) -> None:
    """Delete what is older than so many days and not held, of every writer's log."""
    done = retain_everywhere(data, days, dry_run=dry_run)
    if as_json:
        first, *others = done.items()
        output.emit_json({**asdict(first[1]), "others": {name: asdict(each) for name, each in others}})
        return
    for name, each in done.items():
        _say_retained(each, "" if len(done) == 1 else f"{name}: ", is_dry_run=dry_run)


def _say_retained(done: Retained, name: str, *, is_dry_run: bool) -> None:
    would = "would be deleted" if is_dry_run else "were deleted"
    told = f"{name}{done.entries:,} entries in {done.segments} segments {would}"
    output.emit(f"{told}; the log now begins at {done.first:,}\n")
    if done.held is not None:
        output.emit(f"segment {done.held[0]} and what follows stay: {done.held[1]} holds entries in it\n")


def release(name: str, by: str, reason: str, *, data: str | None, log: str, as_json: bool) -> None:
    """Ask for a release.

    Raises:
        Refused: another person has to ask too.
    """
    needs = people_needed()
    with open_ledger(data, writer=log) as ledger:
        hold = ledger.audit.release(_named(ledger, name).id, by, reason, needs)
    if as_json:
        output.emit_json(asdict(hold))
    if not hold.is_released:
        raise Refused(
            f"noted that {by} asks for the release of {hold.id}; it holds until another person asks too:"
            f" andon evidence release {hold.id} --by NAME --reason TEXT"
        )
    if not as_json:
        output.emit(f"{hold.id} is released\n")


def _named(ledger: Ledger | Beside, name: str) -> Hold:
    found = ledger.audit.holds()
    if name == "last" and found:
        return found[-1]
    known = {hold.id: hold for hold in found}
    if name not in known:
        raise NotFound(f"there is no seal {name}: `andon evidence hold` lists them")
    return known[name]


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9_]{1,60}", name):
        raise BadInput(f"--artifact {text} names no file: write it like --artifact prompt=prompt.txt")
    return name, Path(path)


def _scan(path: str) -> tuple[dict[str, Any], datetime | None, dict[str, bytes]]:
    """The scan's document, the start of its first anomaly, and what a pin holds besides."""
    from andon.bootstrap.pin import read_pin  # noqa: PLC0415  # with it come the detectors

    members: dict[str, bytes] = {}
    try:
        if zipfile.is_zipfile(path):
            members = dict(read_pin(Path(path)).members)
            text = members.pop("scan.json").decode("utf-8")
        else:
            text = Path(path).read_text(encoding="utf-8")
        document = _strict(text)
    except OSError as error:
        reason = error.strerror or error
        raise BadInput(f"cannot read {path}: {reason}; name what `andon scan --json` or --pin wrote") from None
    except (ValueError, RecursionError):
        raise BadInput(f"{path} is no JSON: name the file that `andon scan --json` or --pin wrote") from None
    if not isinstance(document, dict) or document.get("schema") != "andon.scan/1":
        raise BadInput(f"{path} is no andon.scan/1: name the file that `andon scan --json` or --pin wrote")
    return document, min(_starts(document, path), default=None), members


def _strict(text: str) -> Any:
    """JSON that every reader takes alike: numbers that are some, text that can be written."""

    def refuse(number: str) -> None:
        raise ValueError(number)

    document = json.loads(text, parse_constant=refuse)
    json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    return document


def _starts(document: Mapping[str, Any], path: str) -> list[datetime]:
    incidents = document.get("incidents")
    rows = incidents if isinstance(incidents, list) else [None]
    starts: list[Any] = [each.get("started_at_low") if isinstance(each, dict) else None for each in rows]
    if not all(isinstance(each, str) for each in starts):
        raise BadInput(f"{path} does not say when its incidents started: name what `andon scan --json` or --pin wrote")
    return [options.time(each, "--scan") for each in starts]
