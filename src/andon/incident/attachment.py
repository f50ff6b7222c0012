"""Files that people add to an incident: what the journal says of them, and where their content is kept.

The journal has a file's size and the digest of its content; the content lies beside, sealed under a key of its own.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from andon.alert.alert import AHEAD_MAX
from andon.base.errors import BadInput, NotFound, Refused
from andon.incident.fold_work import FILES
from andon.incident.opening import place_in_time
from andon.ledger.journal import ERASED, Fact, View

Row = Mapping[str, Any]

NAME_MAX: Final = 200
SUFFIX_MAX: Final = 20
FILES_MAX: Final = 1_000
"""So many files of one incident, so that it can be shown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Content that is durable.

    Attributes:
        file: the id under whose key it is sealed.
        stored: what the store calls it.
        size: of the content, in bytes.
        sha256: of the content, in hexadecimal.
    """

    file: str
    stored: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says of a file: its name, a note, when it is from (None: now)."""

    name: str
    text: str | None = None
    at: datetime | None = None


class Incoming(Protocol):
    """Content that comes in parts."""

    def write(self, part: bytes) -> None:
        """Take the next part.

        Raises:
            Full: there is no room for it.
        """
        ...

    def keep(self) -> Kept:
        """Make it durable."""
        ...

    def drop(self) -> None:
        """Forget what was written; of what was kept nothing is forgotten."""
        ...


class Vault(Protocol):
    """Keeps content sealed; its guarantee: what `keep` returned for is durable, and what was destroyed is gone."""

    def begin(self, file: str) -> Incoming:
        """Content to come, under the key of a file."""
        ...

    def check(self, stored: str) -> None:
        """Whether stored content is what was kept.

        Raises:
            Tampered: it is not, or it is missing.
        """
        ...

    def read(self, file: str, stored: str) -> Iterator[bytes]:
        """The content in parts, as long as its key is there.

        Raises:
            NotFound: it was erased meanwhile.
            Tampered: it is not what was kept.
        """
        ...

    def destroy(self, file: str, stored: str) -> None:
        """Forget the key and the content; what is gone already stays gone."""
        ...

    def holds(self, stored: str) -> bool:
        """Whether content is still there."""
        ...

    def list_stored(self, before: datetime) -> Collection[str]:
        """What was stored before a time."""
        ...


def added(view: View, row: Row, kept: Kept, told: Told, now: datetime, actor: str) -> Fact:
    """A file is added; its name and digest are texts about people, as far as the journal is concerned.

    Raises:
        BadInput: it is to be from after now.
        Refused: the incident has too many.
    """
    if told.at is not None and told.at > now + AHEAD_MAX:
        raise BadInput("a file is from a time that has been, and its time lies ahead of the server: mend it")
    number = len(view.list_rows(FILES, {"incident_id": row["id"]})) + 1
    if number > FILES_MAX:
        raise Refused(f"{row['id']} has {FILES_MAX:,} files: add an archive, or a link")
    data = {"number": number, "file": kept.file, "stored": kept.stored, "bytes": kept.size}
    private = {"name": safe_name(told.name), "sha256": kept.sha256, "text": told.text or ""}
    return Fact("file_added", row["id"], actor, {**data, "at": place_in_time(told.at)}, private)


def erased(view: View, row: Row, number: int, reason: str, actor: str) -> Fact:
    """The content of a file is destroyed; that there was one, and its digest, stay.

    Raises:
        NotFound: there is no such file.
        Refused: it was erased before.
    """
    file = get_file(view, row["id"], number)
    if file["erased_at"] is not None:
        raise Refused(f"file {number} of {row['id']} was erased already: nothing to do")
    told = {"number": number, "bytes": file["bytes"]}
    data = {"number": number, "entry": file["entry"], "told": told}
    return Fact("file_erased", row["id"], actor, data, {"text": reason})


def get_file(view: View, incident: str, number: int) -> dict[str, Any]:
    """The row of a file.

    Raises:
        NotFound: the incident has no such file.
    """
    row = view.find(FILES, f"{incident}:F{number:04}")
    if row is None:
        raise NotFound(f"{incident} has no file {number}: `andon incident show {incident}` lists them")
    return row


def is_erased(file: Row) -> bool:
    """Whether its content is to be gone: by its own erasure, or with all texts of its incident."""
    return file["erased_at"] is not None or file["sha256"] == ERASED


def safe_name(name: str) -> str:
    """The last part of a name, of printable letters, at most 200; never a path, never empty, never a hidden file."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(c if c.isprintable() else "_" for c in last).strip().lstrip(".")
    if len(kept) > NAME_MAX:
        stem, dot, suffix = kept.rpartition(".")
        ending = f"{dot}{suffix}" if stem and len(suffix) <= SUFFIX_MAX else ""
        kept = kept[: NAME_MAX - len(ending)] + ending
    return kept or "file"
