"""Checks a log without writing to it, as it stands: while a server goes on writing, or where nobody may write."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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
from andon.evidence.custody import KINDS
from andon.ledger.checkpoint import Checkpoint, Verifier
from andon.ledger.proof import require_grown

TOLD_EVERY: Final = 8_192


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found whole.

    Attributes:
        checked: the entries, and how many segments.
        torn: what a crash left half written: the file, the byte, how many bytes; the next opening puts it aside.
        journal: how many entries the journal's log beside it has; None: there is none.
        acts: how many acts of custody the log has, which stand in a journal too.
    """

    checked: Checked
    torn: tuple[str, int, int] | None
    journal: int | None
    acts: int


def verify_ledger(data: str | None, tell: Callable[[int], None] | None, writer: str, vkey: Verifier | None) -> Verified:
    """Check every byte of a log as far as it had come when this began, and what stands beside it.

    Raises:
        NotFound: there is no such log.
        Tampered: something is not as it was recorded, or another key than `vkey` signs.
    """
    with _standing(data, writer, vkey) as look:
        while True:
            claims, log = Claims(look.place), look.snapshot()  # in this order: the log may grow between
            kinds = Counter[str]()
            try:
                checked = verify_folder(log, look.verifier, _seen_by(claims, kinds, tell))
                claims.compare(log.nodes(), log.first, log.size)
            except (Tampered, FileNotFoundError):
                if not look.is_live or look.snapshot().first == log.first:
                    raise  # else retention deleted what was being read
            else:
                acts, journal = sum(kinds[kind] for kind in KINDS), _journal(look.place.parent, look.verifier.name)
                if journal is not None and journal.sealed > log.size and journal.sealed > look.snapshot().size:
                    raise Tampered(
                        f"the journal knows a seal at {journal.sealed:,} entries of the log in {look.place}, which has"
                        f" {log.size:,}: it was rolled back, or is another one; restore it from a copy"
                    )
                return Verified(checked, log.torn, None if journal is None else journal.entries, acts)


def _seen_by(
    claims: Claims, kinds: Counter[str], tell: Callable[[int], None] | None
) -> Callable[[int, Mapping[str, Any]], None]:
    def see(seq: int, fields: Mapping[str, Any]) -> None:
        claims.see(seq, fields)
        kinds[fields["kind"]] += 1
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


@dataclass(slots=True)
class _Journal:
    """A journal's log: how many entries it has, and the most that the other log had when it was sealed."""

    entries: int = 0
    sealed: int = 0


def _journal(folder: Path, origin: str) -> _Journal | None:
    """What the journal's log in a ledger's folder says, each entry checked; None: there is none.

    `origin` is the log whose seals are of interest.
    """
    place, verifier, found = folder / JOURNAL, signer_of(folder, JOURNAL).verifier, _Journal()

    def see(_: int, fields: Mapping[str, Any]) -> None:
        if fields["kind"] == "seal_made" and fields["data"]["log"] == origin:
            found.sealed = max(found.sealed, fields["data"]["checkpoint_size"])

    try:
        with _readable(place), stillness(place) as is_still:
            if signed_checkpoint(place, verifier) is None:
                return None
            log = _Look(place, Settings(), verifier, not is_still).snapshot()
            found.entries = verify_folder(log, verifier, see).entries
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
