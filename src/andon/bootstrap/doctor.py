"""Checks an installation: each part by itself, so that one that is broken hides none of the others."""

import json
import shutil
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from andon.base.errors import AndonError
from andon.bootstrap.settings import DATABASE_FILE, FILES_FOLDER, Limits, database_of
from andon.bootstrap.signing import signer_of

State = Literal["ok", "warning", "failed"]
ANSWER_SECONDS: Final = 5
PYTHON_MIN: Final = (3, 11)
PLAIN_HOSTS: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was looked at, how it is, and what to do if it is not well."""

    what: str
    state: State
    text: str


def examine(data: Path) -> Iterator[Diagnosis]:
    """Look at everything, one after the other."""
    yield Diagnosis("version", "ok", f"andon {version('andon')} on Python {sys.version.split()[0]}")
    if not data.is_dir():
        yield Diagnosis(
            "data folder", "failed", f"there is no folder {data}: name it with --data, or run `andon serve`"
        )
        return
    checks: tuple[tuple[str, Callable[[Path], Diagnosis]], ...] = (
        ("data folder", _folder),
        ("secrets", _secrets),
        ("room", _room),
        ("database and journal", _journal),
        ("files", _files),
        ("server", _server),
    )
    for what, check in checks:
        yield _tried(what, check, data)
    logs = sorted(path.parent for path in (data / "ledger").glob("*/lock"))
    for folder in logs:
        yield _tried(f"log {folder.name}", _log, folder)
    if not logs:
        yield Diagnosis("logs", "warning", "nothing was recorded yet")


def _tried(what: str, check: Callable[[Path], Diagnosis], place: Path) -> Diagnosis:
    try:
        return check(place)
    except AndonError as error:
        return Diagnosis(what, "failed", str(error))
    except OSError as error:
        return Diagnosis(
            what, "failed", f"cannot read {error.filename or place}: {error.strerror}; mend its permissions"
        )


def _folder(data: Path) -> Diagnosis:
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o077:
        return Diagnosis("data folder", "warning", f"{data} is open to others (mode {mode:o}): chmod 700 {data}")
    return Diagnosis("data folder", "ok", str(data))


def _secrets(data: Path) -> Diagnosis:
    keys = [data / "ledger" / name for name in ("signing.key", "pseudonym.key")]
    kept = [*keys, data / "keys.db", data / DATABASE_FILE, data / "andon.db"]
    open_to_others = [path for path in kept if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_to_others:
        names = " ".join(map(str, open_to_others))
        return Diagnosis("secrets", "failed", f"others may read {names}: chmod 600 {names}")
    return Diagnosis("secrets", "ok", "keys are closed to others")


def _room(data: Path) -> Diagnosis:
    free, least = shutil.disk_usage(data).free, Limits().free_bytes_min
    text = f"{free / 1e9:,.1f} GB are free"
    if free < least:
        return Diagnosis("room", "failed", f"{text}; below {least >> 20} MiB no events are taken: make room")
    return Diagnosis("room", "warning" if free < 16 * least else "ok", text)


def _journal(data: Path) -> Diagnosis:
    from andon.bootstrap.journal import open_journal  # noqa: PLC0415  # the database's library takes its time

    what = "database and journal"
    if database_of(data) is None and not (data / "andon.db").exists():
        return Diagnosis(what, "warning", "there is no database yet: `andon serve` or a first seal makes it")
    with open_journal(data, follows=False) as opened:
        entries = opened.journal.check()
        behind = entries - opened.journal.integrated()
        kind = opened.journal.engine.dialect.name
    text = f"{kind}: {entries:,} entries, the tables are what they say"
    if behind > 0:
        return Diagnosis(what, "warning", f"{text}; {behind:,} are not in the ledger yet: start `andon serve`")
    return Diagnosis(what, "ok", text)


def _files(data: Path) -> Diagnosis:
    from andon.adapters.artifacts import ArtifactStore  # noqa: PLC0415  # as above
    from andon.bootstrap.journal import open_journal  # noqa: PLC0415
    from andon.incident.attachment import is_erased  # noqa: PLC0415
    from andon.incident.fold_work import FILES  # noqa: PLC0415

    if database_of(data) is None and not (data / "andon.db").exists():
        return Diagnosis("files", "ok", "incidents have none yet")
    with open_journal(data, follows=False) as opened:
        kept = [row for row in opened.journal.list_rows(FILES) if not is_erased(row)]
    store = ArtifactStore(data / FILES_FOLDER)
    missing = [f"file {row['number']} of {row['incident_id']}" for row in kept if not store.holds(row["stored"])]
    if missing:
        text = f"{len(missing)} are missing in {data / FILES_FOLDER}, the first is {missing[0]}"
        return Diagnosis("files", "failed", f"{text}: restore the folder from a copy")
    return Diagnosis("files", "ok", f"those of incidents are there: {len(kept):,}")


def _log(folder: Path) -> Diagnosis:
    signer = signer_of(folder.parent, folder.name)
    point = signer.verifier.open((folder / "checkpoint").read_bytes())
    torn = len(list((folder / "quarantine").iterdir())) if (folder / "quarantine").exists() else 0
    text = f"{point.size:,} entries are under its last signed checkpoint"
    if torn:
        return Diagnosis(f"log {folder.name}", "warning", f"{text}; {torn} torn ends lie in {folder / 'quarantine'}")
    return Diagnosis(f"log {folder.name}", "ok", text)


def _server(data: Path) -> Diagnosis:
    place = data / "server.json"
    if not place.exists():
        return Diagnosis("server", "warning", f"none runs on this folder: andon serve --data {data}")
    address = json.loads(place.read_text())["address"]
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=ANSWER_SECONDS):  # noqa: S310  # our own address
            pass
    except urllib.error.HTTPError as error:
        with error:
            reasons = "; ".join(json.loads(error.read()).get("reasons", ()))
        return Diagnosis("server", "failed", f"{address} is not ready: {reasons}")
    except OSError:
        return Diagnosis("server", "failed", f"{address} does not answer: start it, or remove {place} if it is gone")
    host = address.split("//")[1].rpartition(":")[0].strip("[]")
    if host not in PLAIN_HOSTS:
        return Diagnosis("server", "warning", f"{address} is ready; it speaks plain HTTP: put TLS in front of it")
    return Diagnosis("server", "ok", f"{address} is ready")
