"""The house that a server stands on: one data folder, opened, with its services and the follower of its journal."""

import contextlib
import json
import logging
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from andon.adapters.artifacts import ArtifactStore
from andon.adapters.serial_log import SerialLog
from andon.adapters.zip_bundle import ZipBundle
from andon.base.errors import Full, Refused, Tampered, Unavailable
from andon.bootstrap import positions
from andon.bootstrap.chance import many_random_bytes
from andon.bootstrap.journal import OpenJournal, now, open_journal
from andon.bootstrap.logs import WRITER, open_log
from andon.bootstrap.packs import load_permissions, pack
from andon.bootstrap.settings import PLACE, Settings, address_of, keep_database, make_folder, server_at
from andon.bootstrap.signing import signer_of
from andon.evidence.custody import Custody
from andon.ledger.checkpoint import Signer
from andon.people.door import Door
from andon.people.permission import Permissions
from andon.people.token import SECRET_BYTES, local_token, new_secret
from andon.services.access import Access, NewToken
from andon.services.audit import Audit
from andon.services.export import Export, Exported
from andon.services.follow import Fenced
from andon.services.ingest import Ingest
from andon.services.record import Record

LOGGER: Final = logging.getLogger("andon.server")
POLL_SECONDS: Final = 0.25
WRITERS_MAX: Final = 32


@dataclass(slots=True)
class House:
    """An installation that is served by this process.

    Attributes:
        settings: what the server was told.
        writer: the name of this process's log.
        secret: of the token for commands on this machine.
        trouble: why the follower does not follow, if so.
        tampered: what was found changed, if anything; nothing is taken any more then.
        known: the last entry of the journal whose tokens the door knows.
    """

    settings: Settings
    writer: str
    secret: str
    signer: Signer
    log: SerialLog
    ingest: Ingest
    opened: OpenJournal
    door: Door
    permissions: Permissions
    first: NewToken | None = None
    trouble: str | None = None
    tampered: str | None = None
    known: int = -1
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def folder(self) -> Path:
        """Of this process's log."""
        return self.settings.data / "ledger" / self.writer

    # Services, for an actor

    def access(self, actor: str) -> Access:
        """Tokens."""
        return self.opened.access(actor)

    def audit(self, actor: str) -> Audit:
        """Custody and proofs."""
        return Audit(self.log, self.signer.verifier, now, secrets.token_bytes, self._custody(actor))

    @contextmanager
    def export(self, actor: str, seal_id: str, *, redact: bool) -> Iterator[tuple[Path, Exported]]:
        """The bundle of a seal as a file that is gone afterwards."""
        texts = (
            pack("bundle").joinpath("verify.py").read_bytes(),
            pack("bundle").joinpath("README.txt").read_text("utf-8"),
        )
        store = ArtifactStore(self.settings.data / "artifacts")
        job = Export(self.log, self.signer.verifier, now, secrets.token_bytes, self._custody(actor), *texts, store.read)
        with tempfile.TemporaryDirectory(prefix="andon-export-") as folder:
            path = Path(folder) / f"{seal_id}.zip"
            with ZipBundle(path) as sink:
                done = job.export(seal_id, sink, path.name, redact=redact)
            yield path, done

    def _custody(self, actor: str) -> Custody:
        return Custody(self.log, self.signer.verifier.name, self.opened.journal, secrets.token_bytes, actor)

    # The follower

    def nudge(self) -> None:
        """There is something to follow."""
        self._wake.set()

    def follow(self) -> None:
        """Follow until the end, and look four times a second; what goes wrong is noted and tried again."""
        while not self._ended.is_set():
            self.beat()
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def beat(self) -> None:
        """One turn of the follower; one at a time."""
        with self._turn:
            self._beat()

    def _beat(self) -> None:
        before = self.tampered, self.trouble
        try:
            self.opened.follow.step(now())
            self.trouble = None
        except Tampered as error:
            self.tampered = str(error)
        except (Refused, Unavailable) as error:  # another process has the log open, or the database is away
            self.trouble = None if isinstance(error, Fenced) else str(error)
        for matter in {self.tampered, self.trouble} - {None, *before}:
            LOGGER.error("%s", matter)
        with contextlib.suppress(Unavailable):
            self.learn()

    def learn(self) -> None:
        """Know the tokens as the journal has them."""
        last = self.opened.journal.last()
        if last != self.known:
            self.door.learn(self.access("door").list_tokens())
            self.known = last

    def require_room(self) -> None:
        """Refuse events when the disk is nearly full, so that seals still fit.

        Raises:
            Full: it is.
        """
        free = shutil.disk_usage(self.settings.data).free
        if free < self.settings.limits.free_bytes_min:
            raise Full(
                f"only {free >> 20} MiB are free for {self.settings.data}: make room; nothing acknowledged is lost"
            )

    # Lifecycle

    def reopen(self) -> None:
        """Recover the log after a failure of the disk, and learn anew where producers are."""
        self.log.reopen()
        positions.resume(self.ingest, self.folder)

    def keep_positions(self) -> None:
        """Write where producers are, so that the next start need not read the whole log."""
        positions.keep(self.ingest, self.folder)

    def end(self) -> None:
        """Stop following."""
        self._ended.set()
        self._wake.set()


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Open an installation: check it, recover, follow.

    Raises:
        Tampered: the database, the journal or the ledger are not what was recorded.
        Refused: another server uses the folder, and its database is SQLite.
    """
    make_folder(settings.data)
    with ExitStack() as stack:
        houses: list[House] = []
        opened = stack.enter_context(
            open_journal(settings.data, settings.database, lambda: houses[0].nudge() if houses else None)
        )
        keep_database(settings.data, settings.database)
        opened.journal.check()
        opened.follow.step(now())
        house = _house(settings, opened)
        houses.append(house)
        stack.callback(house.log.close)
        stack.enter_context(_following(house))
        house.audit("start").custody.finish()
        house.first = house.access("start").start()
        house.learn()
        stack.enter_context(_told(house))
        yield house
        house.keep_positions()


def _house(settings: Settings, opened: OpenJournal) -> House:
    writer, log = _writer(settings)
    ingest = Ingest(log, Record(log, now, many_random_bytes).entries, now)
    with ExitStack() as unless_opened:
        unless_opened.callback(log.close)
        signer = signer_of(settings.data / "ledger", writer)
        secret = new_secret(secrets.token_bytes(SECRET_BYTES))
        door = Door(local=local_token(secret, now().isoformat()))
        house = House(settings, writer, secret, signer, log, ingest, opened, door, load_permissions())
        positions.resume(ingest, house.folder)
        unless_opened.pop_all()
    return house


def _writer(settings: Settings) -> tuple[str, SerialLog]:
    """The first log that no other process writes to; servers beside each other need a database that they share."""
    ledger = settings.data / "ledger"
    for number in range(1, WRITERS_MAX + 1):
        name = WRITER if number == 1 else f"w-{number}"
        try:
            return name, SerialLog(lambda name=name: open_log(ledger, name))
        except Refused:
            if settings.database is None:
                by = server_at(settings.data) or "another process"
                raise Refused(f"{by} serves {settings.data}: stop it, or name another folder") from None
    raise Refused(f"{WRITERS_MAX} processes write to {settings.data} already: stop some")


@contextmanager
def _following(house: House) -> Iterator[None]:
    thread = threading.Thread(target=house.follow, name="follower", daemon=True)
    thread.start()
    try:
        yield
    finally:
        house.end()
        thread.join()


@contextmanager
def _told(house: House) -> Iterator[None]:
    """The place of the server, for commands on the same machine."""
    place = house.settings.data / (PLACE if house.writer == WRITER else f"server-{house.writer}.json")
    told = {"address": address_of(house.settings), "pid": os.getpid(), "secret": house.secret}
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # one that a killed server of an earlier version left
        file.write(json.dumps(told) + "\n")
    try:
        yield
    finally:
        place.unlink(missing_ok=True)
