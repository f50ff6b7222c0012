"""The house that a server stands on: one data folder, opened, with its services and the follower of its journal."""

import contextlib
import json
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from andon.adapters.artifacts import CHUNK_BYTES, ArtifactStore
from andon.adapters.ready_names import ReadyNames
from andon.adapters.serial_log import SerialLog
from andon.adapters.sql.search import SqlTexts
from andon.adapters.vault import SealedVault
from andon.adapters.zip_bundle import ZipBundle
from andon.alert.signal import PART_ALERTS, Pinned
from andon.alert.tables import FIGURES
from andon.base.errors import Full, Refused, Tampered, Unavailable
from andon.base.ids import new_id
from andon.bootstrap import positions
from andon.bootstrap.chance import many_random_bytes
from andon.bootstrap.heartbeat import heartbeat_of
from andon.bootstrap.journal import OpenJournal, now, open_journal
from andon.bootstrap.logs import WRITER, logs_beside, open_log
from andon.bootstrap.outside import outsiders
from andon.bootstrap.packs import floors, load_permissions, load_severities, pack, packs_of_incidents
from andon.bootstrap.settings import (
    FILES_FOLDER,
    Settings,
    address_of,
    keep_database,
    make_folder,
    place_of,
    retention_days_min,
    server_at,
)
from andon.bootstrap.signals import Signals, mappings
from andon.bootstrap.signing import signer_of
from andon.evidence.custody import Custody
from andon.evidence.hold import BEFORE
from andon.incident.desk import Desk
from andon.incident.preserving import Holding, Sealer, SealReceipt
from andon.inventory.register import MODELS, entry_of
from andon.ledger.checkpoint import Signer
from andon.ledger.journal import Journal
from andon.people.door import Door
from andon.people.permission import Permissions
from andon.people.token import SECRET_BYTES, Token, local_token, new_secret
from andon.services.access import Access, Grant, NewToken
from andon.services.attach import Attach
from andon.services.attend import Attend
from andon.services.audit import Audit, Case, OtherLog
from andon.services.declare import Declare
from andon.services.deliberate import Deliberate
from andon.services.export import Export, Exported
from andon.services.follow import Fenced
from andon.services.ingest import Ingest
from andon.services.record import Record
from andon.services.records import Records
from andon.services.register import Register
from andon.services.respond import Respond
from andon.services.retain import Retain
from andon.services.search import Search
from andon.services.staff import Staff
from andon.telemetry.event import Event
from andon.telemetry.versions import together
from andon.telemetry.vitals import ByVersion, KnownModels, vitals_of

LOGGER: Final = logging.getLogger("andon.server")
POLL_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 1.0
PACE_SECONDS: Final = 0.05
"""Between two steps that make alerts of signals."""
RESTS: Final = 3
"""What follows commands rests so many times as long as it worked, so that commands come first."""
TELL_SECONDS: Final = 3.0
"""So long the end waits for an outsider that is being told; what a message without an answer costs."""
WRITERS_MAX: Final = 32
ITSELF: Final = "andon"
"""Who acts where nobody asked."""


@dataclass(slots=True)
class House:
    """An installation that is served by this process.

    Attributes:
        settings: what the server was told.
        writer: the name of this process's log.
        secret: of the token for commands on this machine.
        trouble: why the follower does not follow, if so.
        tampered: what was found changed, if anything; nothing is taken any more then.
        signals: what comes from outside, and what is made of it.
        names: of signals to come, with their keys.
        known: the last entry of the journal whose tokens the door knows.
        is_ending: a signal told it to; whoever streams stops.
        look_at: when incidents need a look again though nothing happened.
        follows: whether this process is the one that follows the journal.
        ungrouped: why signals are not grouped, if so.
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
    signals: Signals
    names: ReadyNames
    first: NewToken | None = None
    first_signaller: NewToken | None = None
    trouble: str | None = None
    tampered: str | None = None
    known: int = -1
    look_at: datetime | None = None
    follows: bool = False
    ungrouped: str | None = None
    is_ending: bool = False
    _attended: int = -1
    _grouped: int = -1
    _models: tuple[list[tuple[str, str]], dict[str, Mapping[str, Any]], dict[str, str]] = field(
        default_factory=lambda: ([], {}, {})
    )
    _signalled: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _hurried: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _rests: threading.Event = field(default_factory=threading.Event)

    @property
    def folder(self) -> Path:
        """Of this process's log."""
        return self.settings.data / "ledger" / self.writer

    @property
    def types(self) -> tuple[str, ...]:
        """The types of incident."""
        return tuple(floors())

    # Services, for an actor

    def access(self, actor: str) -> Access:
        """Tokens."""
        return self.opened.access(actor)

    def audit(self, actor: str) -> Audit:
        """Custody and proofs."""
        custody = self._custody(actor)
        return Audit(
            self.log, self.signer.verifier, now, secrets.token_bytes, custody, self._versions, self._logs_beside
        )

    def _logs_beside(self) -> Sequence[OtherLog]:
        """The logs of other servers."""
        return logs_beside(self.settings.data / "ledger", self.writer)

    def _versions(self, model_id: str) -> Sequence[Mapping[str, Any]]:
        """The versions of a model that answered, here and, as far as they have kept it, at other servers."""
        others = positions.versions_beside(self.settings.data / "ledger", self.writer)
        return together([self.ingest.versions, *others], model_id)

    def retain(self, actor: str) -> Retain:
        """Deletion of what is old."""
        return Retain(self.log, now, self._custody(actor), retention_days_min())

    def declare(self, caller: Token) -> Declare:
        """Incidents as they begin."""
        return Declare(self.opened.journal, floors(), now, secrets.token_bytes, caller.id, caller.models)

    def respond(self, caller: Token) -> Respond:
        """Incidents as a whole."""
        return Respond(self.desk(caller), packs_of_incidents(), floors())

    def staff(self, caller: Token) -> Staff:
        """Who does what."""
        return Staff(self.desk(caller), packs_of_incidents())

    def deliberate(self, caller: Token) -> Deliberate:
        """What is known, supposed and decided."""
        return Deliberate(self.desk(caller), packs_of_incidents())

    def attach(self, caller: Token | None = None) -> Attach:
        """Files of incidents; without a caller, Andon itself."""
        desk = Desk(self.opened.journal, now, secrets.token_bytes, ITSELF) if caller is None else self.desk(caller)
        store = ArtifactStore(self.settings.data / FILES_FOLDER)
        return Attach(desk, SealedVault(store, self.opened.keys, CHUNK_BYTES), self.require_room)

    def records(self, caller: Token) -> Records:
        """Incidents as documents."""
        return Records(self.desk(caller), packs_of_incidents())

    def search(self, caller: Token) -> Search:
        """Words in what the caller may see."""
        return Search(self.desk(caller), SqlTexts(self.opened.journal.engine))

    def attend(self, caller: Token | None = None) -> Attend:
        """What incidents need; without a caller, Andon itself."""
        desk = Desk(self.opened.journal, now, secrets.token_bytes, ITSELF) if caller is None else self.desk(caller)
        return Attend(desk, load_severities(), self._seals(desk.actor), self.opened.follow.outsiders.keys())

    def _seals(self, actor: str) -> Sealer:
        def seal(holding: Holding, request: str) -> SealReceipt:
            case = Case(holding.model_id, holding.since, None, holding.reason, {"incident": holding.incident_id})
            made = self.audit(actor).seal(case, request)
            return SealReceipt(made.seal_id, made.size, made.root, made.note)

        return seal

    def _seal_scan(self, actor: str, pinned: Pinned, request: str) -> str:
        """Hold what a scan was made from: its document, its plan and summaries, and the SHA-256 of what it read."""
        store = ArtifactStore(self.settings.data / "artifacts")
        kept = {name: store.put([data]) for name, data in sorted(pinned.members.items())}
        facts = {
            "scan": pinned.scan,
            "inputs": list(pinned.inputs),
            "predictions_in_ledger": pinned.predictions_in_ledger,
        }
        facts["pinned"] = {name: {"sha256": digest, "bytes": size} for name, (digest, size) in kept.items()}
        started = min(datetime.fromisoformat(each["started_at_low"]) for each in pinned.scan["incidents"])
        case = Case(str(pinned.scan["model_id"]), started - BEFORE, None, "a scan was sent", facts)
        return self.audit(actor).seal(case, request).seal_id

    def desk(self, caller: Token) -> Desk:
        """A caller's hand on incidents."""
        return Desk(self.opened.journal, now, secrets.token_bytes, caller.id, caller.models)

    def register(self, caller: Token) -> Register:
        """Models and changes."""
        return Register(self.opened.journal, now, secrets.token_bytes, caller.id, caller.models)

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
        self._signalled.set()

    def hurry(self) -> None:
        """Somebody waits for the follower."""
        self._hurried.set()
        self._wake.set()

    def follow(self) -> None:
        """Follow until the end, and look four times a second; what goes wrong is noted and tried again."""
        while not self._ended.is_set():
            begun = time.monotonic()
            self.beat()
            with contextlib.suppress(Unavailable):
                self.names.fill()
                self.opened.journal.tidy()
            took = time.monotonic() - begun
            self._hurried.wait(min(RESTS * took, POLL_SECONDS))  # many commands: one batch, so that none is held up
            self._hurried.clear()
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def tell(self, recipient: str) -> None:
        """Tell an outsider what happens until the end; nobody else waits for them."""
        while not self._rests.wait(POLL_SECONDS):
            with _next_turn_comes(recipient):
                self.opened.follow.tell(recipient)

    def beat(self) -> None:
        """One turn of the follower; one at a time."""
        with self._turn:
            self._beat()

    def _beat(self) -> None:
        before = self.tampered, self.trouble
        try:
            self.follows = self.opened.follow.step(now())
            self.trouble = None
        except Tampered as error:
            self.tampered = str(error)
        except (Refused, Unavailable) as error:  # another process has the log open, or the database is away
            self.trouble = None if isinstance(error, Fenced) else str(error)
        for matter in {self.tampered, self.trouble} - {None, *before}:
            LOGGER.error("%s", matter)
        with contextlib.suppress(Unavailable):
            self.learn()

    def look_after(self) -> None:
        """Look after incidents until the end, after each command and whenever a clock has something to say."""
        took = 0.0
        while not self._rests.wait(max(POLL_SECONDS, RESTS * took)):
            begun = time.monotonic()
            with _next_turn_comes("attendant"):
                self.look()
            took = min(time.monotonic() - begun, LOOK_SECONDS)

    def group_signals(self) -> None:
        """Make alerts and incidents of signals until the end, where this process follows the journal."""
        looked_at = 0.0
        while not self._rests.is_set():
            is_due = time.monotonic() - looked_at >= LOOK_SECONDS  # a silence may end though nothing happened
            if self.follows and self.tampered is None and (is_due or self._changed()):
                self._group()
                looked_at = time.monotonic()
            self._signalled.wait(POLL_SECONDS)
            self._signalled.clear()

    def _changed(self) -> bool:
        """Whether anything was entered since it was asked last."""
        with contextlib.suppress(Unavailable):
            before, self._grouped = self._grouped, self.opened.journal.last()
            return before != self._grouped
        return False

    def _group(self) -> None:
        before, self.ungrouped = self.ungrouped, None
        try:
            while not self._rests.is_set() and (alerts := self.signals.step()):
                if alerts < PART_ALERTS // 2:  # what comes meanwhile is one step: fewer commands, the same alerts
                    self._rests.wait(PACE_SECONDS)
        except (Refused, Unavailable) as error:  # the database is away, or others were faster three times over
            LOGGER.info("grouping waits: %s", error)
        except Exception as error:  # noqa: BLE001  # the worker's loop: signals wait, they are not lost
            self.ungrouped = type(error).__name__
            if self.ungrouped != before:
                LOGGER.error("signals are not grouped: %s", self.ungrouped)  # noqa: TRY400  # its text may hold data

    def look(self) -> None:
        """Look once, where anything happened or is due."""
        last, at = self.opened.journal.last(), now()
        is_due = self.look_at is not None and at >= self.look_at
        if self.tampered is None and (last != self._attended or is_due):
            self._attended = last
            self.look_at = self.attend().step(at)

    def learn(self) -> None:
        """Know the tokens as the journal has them."""
        last = self.opened.journal.last()
        if last != self.known:
            self.door.learn(self.access("door").list_tokens())
            self.known = last

    def receive(self, incident: str, action: str, receipt: str, message_id: str) -> None:
        """An outsider says what came of an action; it was told, so nothing here may have it told again."""
        try:
            self.attend().note_receipt(incident, action, receipt, f"receipt_{message_id}")
        except Refused as error:  # merged meanwhile
            LOGGER.warning("the receipt of %s for %s is not kept: %s", action, incident, error)

    def known_models(self) -> KnownModels:
        """What is registered, the figures of each last scan, and when something of a model came last."""
        with contextlib.suppress(Unavailable):
            self._models = self._read_models(self.opened.journal)
        versions, figures, scanned = self._models
        predicted, labelled = self.ingest.versions.last()
        return KnownModels(versions, figures, {"prediction": predicted, "label": labelled, "evaluation": scanned})

    @staticmethod
    def _read_models(
        journal: Journal,
    ) -> tuple[list[tuple[str, str]], dict[str, Mapping[str, Any]], dict[str, str]]:
        entries = [entry_of(row) for row in journal.list_rows(MODELS)]
        versions = [(each.id, version) for each in entries for version in [v.version for v in each.versions] or [""]]
        rows = journal.list_rows(FIGURES)
        return versions, {row["id"]: json.loads(row["content"]) for row in rows}, {row["id"]: row["at"] for row in rows}

    def require_room(self, size: int = 0) -> None:
        """Refuse events, or so many bytes, when the disk is nearly full, so that seals still fit.

        Raises:
            Full: it is.
        """
        free = shutil.disk_usage(self.settings.data).free
        if free - size < self.settings.limits.free_bytes_min:
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

    def rest(self) -> None:
        """Look after nothing any more."""
        self._rests.set()

    def end(self) -> None:
        """Stop following."""
        self._ended.set()
        self.hurry()


@contextmanager
def _next_turn_comes(worker: str) -> Iterator[None]:
    """One turn of a worker that must not end: whatever goes wrong is noted, and the next turn comes."""
    try:
        yield
    except Unavailable:
        pass
    except Exception as error:  # noqa: BLE001  # the workers' loop: else nobody did its work any more
        LOGGER.error("%s: %s", worker, type(error).__name__)  # noqa: TRY400  # its text may hold data


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
            open_journal(
                settings.data,
                settings.database,
                lambda: houses[0].nudge() if houses else None,
                lambda: houses[0].hurry() if houses else None,
            )
        )
        keep_database(settings.data, settings.database)
        opened.journal.check()
        opened.follow.step(now())
        house = _house(settings, opened)
        opened.follow.outsiders = outsiders(house.receive)
        houses.append(house)
        stack.callback(house.log.close)
        stack.enter_context(_following(house))
        house.audit("start").custody.finish()
        house.attach().tidy()
        house.first = house.access("start").start()
        if house.first is not None:
            house.first_signaller = house.access("first-start").create_token(Grant("alertmanager", "signaller"))
        house.learn()
        stack.enter_context(_told(house))
        yield house
        house.keep_positions()


def _house(settings: Settings, opened: OpenJournal) -> House:
    writer, log = _writer(settings)
    last: list[ByVersion] = [{}]

    def watch(events: Sequence[Event]) -> None:
        last[0] = vitals_of(events)

    ingest = Ingest(log, Record(log, now, many_random_bytes, watch).entries, now, seen=lambda: last[0])
    with ExitStack() as unless_opened:
        unless_opened.callback(log.close)
        signer = signer_of(settings.data / "ledger", writer)
        permissions = load_permissions()
        signals = Signals(opened.journal, mappings(settings.data), permissions.acts["export.export"])
        secret = new_secret(secrets.token_bytes(SECRET_BYTES))
        door = Door(local=local_token(secret, now().isoformat()))
        names = ReadyNames(opened.keys, lambda: new_id("sig", now(), secrets.token_bytes(10)))
        house = House(settings, writer, secret, signer, log, ingest, opened, door, permissions, signals, names)
        signals.seal, signals.rest = house._seal_scan, house._rests.wait  # noqa: SLF001  # of this module
        signals.names = house.names
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
    follower = threading.Thread(target=house.follow, name="follower", daemon=True)
    helpers = [
        threading.Thread(target=target, name=name, daemon=True)
        for name, target in (("attendant", house.look_after), ("grouping", house.group_signals))
    ]
    names = house.opened.follow.outsiders
    tellers = [threading.Thread(target=house.tell, args=(name,), name=f"tell {name}", daemon=True) for name in names]
    heart = heartbeat_of(address_of(house.settings), house.writer)
    if heart is not None:
        beats = heart.run
        threading.Thread(target=lambda: beats(house._rests), name="heartbeat", daemon=True).start()  # noqa: SLF001
    for thread in (follower, *helpers, *tellers):
        thread.start()
    try:
        yield
    finally:
        house.rest()
        for thread in helpers:  # first: what they do waits for the follower
            thread.join()
        for thread in tellers:  # whoever does not answer now is told by the next start
            thread.join(TELL_SECONDS)
        house.end()
        follower.join()


@contextmanager
def _told(house: House) -> Iterator[None]:
    """The place of the server, for commands on the same machine."""
    place = place_of(house.settings.data, house.writer)
    told = {"address": address_of(house.settings), "pid": os.getpid(), "secret": house.secret}
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # one that a killed server of an earlier version left
        file.write(json.dumps(told) + "\n")
    try:
        yield
    finally:
        place.unlink(missing_ok=True)
