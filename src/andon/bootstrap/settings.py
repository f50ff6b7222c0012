"""Settings of an installation: where its data stand, which database, which limits."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from andon.base.errors import BadInput
from andon.evidence.hold import RELEASERS
from andon.services.retain import DAYS_BY_LAW

PLACE: Final = "server.json"
"""In the data folder: where the server that serves it answers."""
DATABASE_FILE: Final = "database.url"
"""In the data folder (mode 600): the database that this installation was first served with."""


FILES_FOLDER: Final = "files"
"""In the data folder: files of incidents."""
FILE_MIB_MAX: Final = 4_096
APPROVALS: Final = {"two_person": RELEASERS, "one_person": 1}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server takes.

    Attributes:
        requests_per_second: of one token, on average.
        requests_burst: at once.
        failures_per_second, failures_burst: wrong tokens from one address.
        pending_bytes_max: requests of events that wait for the disk, together.
        reports_per_second, reports_burst: reports in words with one token.
        file_bytes_max: of a file that is added to an incident.
        free_bytes_min: with less room on the disk, events are refused, so that seals still fit.
    """

    requests_per_second: float = 2_000
    requests_burst: float = 4_000
    failures_per_second: float = 5
    failures_burst: float = 50
    pending_bytes_max: int = 64 << 20
    free_bytes_min: int = 64 << 20
    reports_per_second: float = 0.5
    reports_burst: float = 60
    file_bytes_max: int = 25 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What `andon serve` was told."""

    data: Path
    host: str
    port: int
    database: str | None = None
    limits: Limits = Limits()


def data_folder(given: str | None) -> Path:
    """Where the data stand: `--data`, else ANDON_HOME, else the user's folder."""
    return Path(given or os.environ.get("ANDON_HOME") or Path.home() / ".local" / "share" / "andon")


def make_folder(data: Path) -> None:
    """Make the data folder, closed to others.

    Raises:
        BadInput: it cannot be used.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot use {data}: {error.strerror}; name another folder with --data") from None
    if not os.access(data, os.W_OK | os.X_OK):
        raise BadInput(f"cannot use {data}: you may not write to it; name another folder with --data")


def database_of(data: Path, given: str | None = None) -> str | None:
    """The database's URL: as given, else ANDON_DATABASE, else what the installation was served with; None: SQLite."""
    url = given or os.environ.get("ANDON_DATABASE")
    kept = data / DATABASE_FILE
    if url is None and kept.exists():
        return kept.read_text(encoding="utf-8").strip() or None
    return url


def keep_database(data: Path, url: str | None) -> None:
    """Remember the database, so that every later command finds the same.

    Raises:
        BadInput: the folder was served with SQLite before, whose journal another database does not have.
    """
    kept = data / DATABASE_FILE
    if url is None:
        return
    if not kept.exists() and (data / "andon.db").exists():
        raise BadInput(f"{data} was used with SQLite before: leave --database out, or name an empty folder with --data")
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(url + "\n")


def place_of(data: Path, writer: str | None = None) -> Path:
    """Where the server that writes a log says where it is; None: the first log."""
    return data / (PLACE if writer in (None, "w-main") else f"server-{writer}.json")


def server_at(data: Path, writer: str | None = None) -> str | None:
    """Which server says that it serves a data folder and writes a log; None: none does."""
    try:
        place = json.loads(place_of(data, writer).read_text())
        return f"the server at {place['address']} (process {place['pid']})"
    except (OSError, ValueError, KeyError):
        return None


def address_of(settings: Settings) -> str:
    """Where a command on the same machine finds the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # to be asked
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`.

    Raises:
        BadInput: it is none.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:  # noqa: PLR2004  # ports
        raise BadInput(f"--listen {text} is no address: write HOST:PORT, such as 127.0.0.1:8600")
    return host.strip("[]"), int(port)


def retention_days_min() -> int:
    """How many days are kept at least: what the law asks for, unless ANDON_RETENTION_FLOOR says `off`."""
    return 0 if os.environ.get("ANDON_RETENTION_FLOOR") == "off" else DAYS_BY_LAW


def limits_of_files() -> Limits:
    """The limits of a server, with the size of files by ANDON_FILE_MIB (1 to 4,096; 25 where it is not set).

    Raises:
        BadInput: it is no such number.
    """
    said = os.environ.get("ANDON_FILE_MIB", "25")
    if not re.fullmatch(r"[0-9]{1,4}", said) or not 1 <= int(said) <= FILE_MIB_MAX:
        raise BadInput(f"ANDON_FILE_MIB is {said!r}: set it to a whole number from 1 to {FILE_MIB_MAX:,}")
    return Limits(file_bytes_max=int(said) << 20)


def people_needed() -> int:
    """How many people a release needs, by ANDON_APPROVAL."""
    name = os.environ.get("ANDON_APPROVAL", "two_person")
    if name not in APPROVALS:
        raise BadInput(f"ANDON_APPROVAL is {name!r}: set it to {' or '.join(APPROVALS)}")
    return APPROVALS[name]
