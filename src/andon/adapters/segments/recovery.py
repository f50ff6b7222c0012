"""What stands in a log's folder: closed segments, write-ahead logs, what a crash broke off. Reads only."""

from dataclasses import dataclass, field
from pathlib import Path

from andon.adapters.segments.segment import RESTORE, SegmentName, file_sha256, require_whole, segments_in
from andon.adapters.segments.tiles import OpenTree, Tiles
from andon.adapters.segments.wal import Wal, WalContent, read_wal, wal_path, wals_in
from andon.base.errors import Tampered
from andon.ledger.checkpoint import Checkpoint, Verifier
from andon.ledger.entry import Entry, parse_header
from andon.ledger.group import start_hash
from andon.ledger.merkle import range_root


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        tree: over all entries.
        wals: the write-ahead logs in order; the last one is open.
        noted: segments whose note is durable while their write-ahead log still stands.
        broken_off: evidence files without a note.
        torn: the end of the last write-ahead log that is no whole group.
        first: the first entry that retention keeps.
        deleted: segments before that, of which a crash kept the file.
    """

    tree: OpenTree
    wals: list[Wal] = field(default_factory=list)
    noted: list[SegmentName] = field(default_factory=list)
    broken_off: list[SegmentName] = field(default_factory=list)
    torn: bytes = b""
    first: int = 0
    deleted: list[SegmentName] = field(default_factory=list)


def signed_checkpoint(folder: Path, verifier: Verifier) -> tuple[bytes, Checkpoint] | None:
    """The stored checkpoint, as a note and what it says; None in a new log.

    Raises:
        Tampered: it is missing where entries are, or not well signed.
    """
    path = folder / "checkpoint"
    try:
        note = path.read_bytes() if path.is_file() or not path.exists() else b""  # a pipe would be waited for
    except FileNotFoundError:
        if any(next((folder / name).glob("*"), None) for name in ("wal", "evidence")):
            raise Tampered(f"{path} is missing, but entries are there: restore it from a copy") from None
        return None
    try:
        return note, verifier.open(note)
    except Tampered as error:
        raise Tampered(f"{path}: {error}; restore it, or the key that signed it, from a copy") from None


def find_signed(folder: Path, verifier: Verifier, tiles: Tiles) -> tuple[bytes | None, Found]:
    """The stored checkpoint's note (None in a new log), and the entries, which are those that it signs.

    Raises:
        Tampered: something is missing or damaged.
    """
    signed = signed_checkpoint(folder, verifier)
    try:
        found = find_entries(folder, verifier.name, tiles)
        if signed is not None:
            _require_covered(found, signed[1])
    except Tampered:
        segments = segments_in(folder / "evidence")
        tiles.require_sound(segments[-1].end if segments else 0)  # a wrong hash there looks like wrong entries
        raise
    return None if signed is None else signed[0], found


def find_entries(folder: Path, origin: str, tiles: Tiles) -> Found:
    """Follow the entries from the closed segments through the write-ahead logs.

    Raises:
        Tampered: something in the middle is missing or damaged.
    """
    segments, firsts = segments_in(folder / "evidence"), wals_in(folder / "wal")
    end = segments[-1].end if segments else 0
    if segments and firsts and firsts[0] > end:
        raise Tampered(f"the entries {end} to {firsts[0] - 1} are missing in {folder / 'wal'}: restore the file")
    found, notes = Found(OpenTree(tiles, firsts[0] if firsts else end)), dict[str, str]()
    for number, first in enumerate(firsts):
        wal = Wal(first, start_hash(origin, first, found.tree.root()))
        content = _followed(wal_path(folder / "wal", first), wal, found, is_last=number == len(firsts) - 1)
        for entry in content.entries:
            if b'"kind":"segment_close"' in entry.header:
                _take_note(entry, notes, found)
            elif b'"kind":"retention_delete"' in entry.header:
                found.first = parse_header(entry.header)["end"]
    if not found.wals:
        found.wals.append(Wal(end, start_hash(origin, end, found.tree.root())))
    found.deleted = [name for name in segments if name.end <= found.first]
    segments = segments[len(found.deleted) :]
    require_whole(segments, found.first, found.tree.closed, folder / "evidence")
    _sort_segments(folder, segments, notes, found)
    return found


def _followed(path: Path, wal: Wal, found: Found, *, is_last: bool) -> WalContent:
    if wal.first != found.tree.size:
        raise Tampered(f"{path.name} does not follow entry {found.tree.size - 1}: restore the folder")
    content = read_wal(path, wal.first, wal.start)
    if content.torn and not is_last:
        place = f"byte {content.end}, entry {wal.first + len(content.entries)}"
        raise Tampered(f"{path.name} is damaged at {place}; another file follows it: restore it from a copy")
    wal.count, wal.size, wal.last = len(content.entries), content.end, content.last_hash
    found.wals.append(wal)
    found.tree.extend(content.leaves)
    found.torn = content.torn
    return content


def _take_note(entry: Entry, notes: dict[str, str], found: Found) -> None:
    fields = parse_header(entry.header)
    if not notes:  # the first note knows what was deleted before it; what follows it is read here
        found.first = max(found.first, fields["kept_from"])
    notes[fields["file"]] = fields["sha256"]


def _sort_segments(folder: Path, segments: list[SegmentName], notes: dict[str, str], found: Found) -> None:
    closed = found.tree.closed
    done = [name for name in segments if name.end <= closed]
    if done and done[-1].file not in notes:
        raise Tampered(f"the note on {done[-1].file} is missing after entry {closed - 1}: restore {folder / 'wal'}")
    for name in segments[len(done) :]:
        wal = next((each for each in found.wals if each.first == name.first), None)
        if wal is None or wal.count != name.count:
            raise Tampered(f"{name.file} does not hold the entries of a write-ahead log: restore the folder")
        if name.file not in notes:
            found.broken_off.append(name)
        elif notes[name.file] != file_sha256(folder / "evidence" / name.file):
            raise Tampered(f"{name.file} (entries {name.first} to {name.end - 1}) is not the file that was closed")
        else:
            found.noted.append(name)


def _require_covered(found: Found, signed: Checkpoint) -> None:
    """Compare what was found with the stored checkpoint.

    Raises:
        Tampered: entries are gone, or others.
    """
    tree, last = found.tree, found.wals[-1]
    if signed.size > tree.size and found.torn:
        raise Tampered(
            f"{last.file} is damaged at byte {last.size}, entry {tree.size}, below the {signed.size} entries that the"
            " checkpoint covers: nothing was cut; restore the file from a copy"
        )
    if signed.size > tree.size:
        raise Tampered(
            f"entries {tree.size} to {signed.size - 1} are gone: the checkpoint covers {signed.size}; {RESTORE}"
        )
    if range_root(tree.node, 0, signed.size) != signed.root:
        raise Tampered(
            f"the tree over entries 0 to {signed.size - 1} has not the root that the checkpoint signs; {RESTORE}"
        )
