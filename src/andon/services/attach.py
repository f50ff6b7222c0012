"""Attach: files of incidents, their content sealed beside the journal."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from andon.base.errors import BadInput, NotFound, Refused
from andon.base.ids import new_id
from andon.incident.attachment import Incoming, Kept, Told, Vault, added, erased, get_file, is_erased
from andon.incident.desk import PLAINLY, Ask, Desk
from andon.incident.fold_work import FILES

ORPHAN_AGE: Final = timedelta(days=1)
"""Content that no entry names is removed when it is older: an upload that is under way is younger."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file: its name, size in bytes, SHA-256 and content in parts."""

    name: str
    size: int
    sha256: str
    parts: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class FileAdded:
    """A file that was added: its number in the incident, and what was kept."""

    number: int
    kept: Kept


@dataclass(frozen=True, slots=True)
class Roomy:
    """Content on its way, as long as there is room: many that were begun at once were each promised the same."""

    incoming: Incoming
    require_room: Callable[[int], None]

    def write(self, part: bytes) -> None:
        """Take the next part."""
        self.require_room(len(part))
        self.incoming.write(part)

    def keep(self) -> Kept:
        """Make it durable."""
        return self.incoming.keep()

    def drop(self) -> None:
        """Forget what was written."""
        self.incoming.drop()


@dataclass(frozen=True, slots=True)
class Attach:
    """Files of incidents, by commands of the journal.

    Attributes:
        desk: the actor's hand on incidents.
        vault: where content is kept.
        require_room: raises Full where the disk has no room for so many bytes more.
    """

    desk: Desk
    vault: Vault
    require_room: Callable[[int], None] = lambda _: None

    def begin(self, name: str, size: int = 0) -> Incoming:
        """Content to come for an incident, of about so many bytes; `add_file` takes it once it is written.

        Raises:
            NotFound: there is no such incident that the actor may see.
            Full: there is no room.
        """
        self.desk.get(self.desk.journal, name)
        self.require_room(size)
        return Roomy(self.vault.begin(new_id("file", self.desk.now(), self.desk.chance(10))), self.require_room)

    def add_file(self, name: str, kept: Kept, told: Told, ask: Ask = PLAINLY) -> FileAdded:
        """A file whose content was kept becomes one of an incident. What is not taken is destroyed.

        A failure of which nobody knows whether it was recorded destroys nothing: `tidy` looks later.

        Raises:
            BadInput: it is to be from after now.
        """
        desk = self.desk
        try:
            done = desk.change(name, ask, lambda view, row: added(view, row, kept, told, desk.now(), desk.actor))
        except (BadInput, NotFound, Refused):
            self.vault.destroy(kept.file, kept.stored)
            raise
        if done.fact.data["file"] != kept.file:  # a request that was repeated: its first file counts
            self.vault.destroy(kept.file, kept.stored)
        return FileAdded(int(done.fact.data["number"]), kept)

    def get_file(self, name: str, number: int) -> FileRead:
        """A file of an incident, checked before it is handed out.

        Raises:
            NotFound: there is none that the actor may see, or it was erased.
            Tampered: its content is not what was kept.
        """
        view = self.desk.journal
        row = self.desk.get(view, name)
        file = get_file(view, row["id"], number)
        if is_erased(file):
            raise NotFound(f"file {number} of {name} was erased: the timeline says when and why")
        self.vault.check(file["stored"])
        return FileRead(file["name"], file["bytes"], file["sha256"], self.vault.read(file["file"], file["stored"]))

    def erase_file(self, name: str, number: int, reason: str, ask: Ask = PLAINLY) -> None:
        """Destroy the content of a file; the journal says so first, so that a crash between is made good by `tidy`."""
        desk = self.desk
        desk.change(name, ask, lambda view, row: erased(view, row, number, reason, desk.actor), of_merged=True)
        file = get_file(desk.journal, name, number)
        self.vault.destroy(file["file"], file["stored"])

    def tidy(self) -> None:
        """Finish erasures that a crash cut short, and remove content that no entry came to name."""
        old = set(self.vault.list_stored(self.desk.now() - ORPHAN_AGE))
        rows = self.desk.journal.list_rows(FILES)
        for row in rows:
            if is_erased(row) and self.vault.holds(row["stored"]):
                self.vault.destroy(row["file"], row["stored"])
        for stored in old - {row["stored"] for row in rows}:
            self.vault.destroy("", stored)
