"""Checks a log without writing to it, as it stands: while a server goes on writing, or where nobody may write."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from andon.adapters.segments.log import Settings
from andon.adapters.segments.recovery import signed_checkpoint
from andon.adapters.segments.snapshot import Snapshot, stillness
from andon.adapters.segments.verify import Checked, verify_folder
from andon.base.errors import Tampered, Unavailable
from andon.bootstrap.ledger import ledger_folder
from andon.bootstrap.logs import JOURNAL, require_log, settings_of
from andon.bootstrap.packs import pack
from andon.bootstrap.positions import Claims
from andon.bootstrap.signing import signer_of
from andon.evidence.custody import FOLDS, KINDS
from andon.ledger.checkpoint import Checkpoint, Verifier
from andon.ledger.proof import require_grown

TOLD_EVERY: Final = 8_192


Torn = tuple[str, int, int]
"""What a crash left half written: the file, the byte, how many bytes; the next opening puts it aside."""


@dataclass(slots=True)
class JournalLog:
    """What the journal's log in a ledger's folder says.

    Attributes:
        entries: how many.
        torn: at its end.
        seals: those of the log that is verified: how many entries that had by then.
        acts: the requests of the acts of custody that concern it.
    """

    entries: int = 0
    torn: Torn | None = None
    seals: dict[str, int] = field(default_factory=dict)
    acts: dict[str, str] = field(default_factory=dict)

    def see(self, origin: str, fields: Mapping[str, Any]) -> None:
        """Take an entry; `origin` is the log of interest."""
        kind, about, data = fields["kind"], fields["stream"], fields["data"]
        if kind not in FOLDS or (data.get("log") != origin and about not in self.seals):
            return
        if kind == "seal_made":
            self.seals[about] = data["checkpoint_size"]
        self.acts[fields["request_id"]] = about


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found whole.

    Attributes:
        checked: the entries, and how many segments.
        torn: at the log's end.
        journal: of the installation; None: there is none beside the log.
        acts: how many acts of custody the log has, which stand in a journal too.
        unentered: what the journal has acts of that the log does not have.
        unknown: what the log has acts of that the journal does not have.
    """

    checked: Checked
    torn: Torn | None
    journal: JournalLog | None
    acts: int
    unentered: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def verify_ledger(data: str | None, tell: Callable[[int], None] | None, writer: str, vkey: Verifier | None) -> Verified:
    """Check every byte of a log as far as it had come when this began, and what stands beside it.

    Raises:
        NotFound: there is no such log.
        Tampered: something is not as it was recorded, or another key than `vkey` signs.
    """
    with _standing(data, writer, vkey) as look:
        while True:
            claims, log = Claims(look.place), look.snapshot()  # in this order: the log may grow between
            acts = dict[str, str]()
            try:
                checked = verify_folder(log, look.verifier, _seen_by(claims, acts, tell))
                claims.compare(log.nodes(), log.first, log.size)
            except (Tampered, FileNotFoundError):
                if not look.is_live or look.snapshot().first == log.first:
                    raise  # else retention deleted what was being read
            else:
                return _compared(Verified(checked, log.torn, _journal(look), len(acts)), acts, log, look)


def _compared(found: Verified, acts: Mapping[str, str], log: Snapshot, look: "_Look") -> Verified:
    """What the journal and the log say of the acts of custody: it comes first, so that a crash may come between."""
    journal = found.journal
    if journal is None:
        return found
    sealed = max(journal.seals.values(), default=0)
    if sealed > log.size and sealed > look.snapshot().size:
        raise Tampered(
            f"the journal knows a seal at {sealed:,} entries of the log in {look.place}, which has {log.size:,}: it was"
            " rolled back, or is another one; restore it from a copy"
        )
    unknown = tuple(dict.fromkeys(about for request, about in acts.items() if request not in journal.acts))
    if log.first or look.is_live:  # retention deleted entries, or acts are under way
        return replace(found, unknown=unknown)
    missing = dict.fromkeys(about for request, about in journal.acts.items() if request not in acts)
    return replace(found, unknown=unknown, unentered=tuple(missing))


def _seen_by(
    claims: Claims, acts: dict[str, str], tell: Callable[[int], None] | None
) -> Callable[[int, Mapping[str, Any]], None]:
    def see(seq: int, fields: Mapping[str, Any]) -> None:
        claims.see(seq, fields)
        if fields["kind"] in KINDS and "request" in fields:
            acts[fields["request"]] = fields.get("id", fields["kind"])
        if tell is not None and seq % TOLD_EVERY == 0:
            tell(seq)

    return see


def compare_ledger(data: str | None, note: bytes, writer: str, vkey: Verifier | None) -> tuple[int, int]:
    """The size of an earlier checkpoint that a log goes on from, and the log's.

    Raises:
        Tampered: the log does not go on from it.
    """
    with _standing(data, writer, vkey) as look:
        log, old = look.snapshot(), look.verifier.open(note)
        require_grown(log.nodes(), log.size, old)
        return old.size, log.size


def verify_checkpoint(data: str | None, note: bytes | None, writer: str, vkey: Verifier | None) -> Checkpoint:
    """What a checkpoint says (None: the one that is stored).

    Raises:
        Tampered: it is not signed by this log.
    """
    with _standing(data, writer, vkey) as look:
        return look.verifier.open(look.snapshot().note if note is None else note)


@dataclass(frozen=True, slots=True)
class _Look:
    """A log's folder, how it is kept, its key, and whether somebody writes to it."""

    place: Path
    settings: Settings
    verifier: Verifier
    is_live: bool

    def snapshot(self) -> Snapshot:
        """The log as it stands."""
        return Snapshot(self.place, self.verifier, self.settings, is_live=self.is_live)


def _journal(look: _Look) -> JournalLog | None:
    """What the journal's log beside a log says, each entry checked; None: there is none."""
    folder, origin, found = look.place.parent, look.verifier.name, JournalLog()
    place, verifier = folder / JOURNAL, signer_of(folder, JOURNAL).verifier
    try:
        with _readable(place), stillness(place) as is_still:
            if signed_checkpoint(place, verifier) is None:
                return None
            log = _Look(place, Settings(), verifier, not is_still).snapshot()
            found.entries = verify_folder(log, verifier, lambda _, fields: found.see(origin, fields)).entries
            found.torn = log.torn
    except Tampered as error:
        raise Tampered(f"the journal's log, {place}: {error}") from None
    return found


@contextmanager
def _standing(data: str | None, writer: str, vkey: Verifier | None) -> Iterator[_Look]:
    folder = ledger_folder(data)
    place, verifier = require_log(folder, writer), signer_of(folder, writer).verifier
    if vkey is not None and vkey != verifier:
        raise Tampered(f"the log in {place} is signed with the key {verifier.vkey()}, not with {vkey.vkey()}")
    with _readable(place), stillness(place) as is_still:
        yield _Look(place, settings_of(folder, writer), verifier, not is_still)


@contextmanager
def _readable(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"cannot read {error.filename or place}: {error.strerror}; run this as somebody who may, or on a copy"
        ) from None


def bundle_verifier() -> bytes:
    """The program that checks a bundle."""
    return pack("bundle").joinpath("verify.py").read_bytes()
