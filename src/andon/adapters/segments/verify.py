"""Deep verification: every byte of a log against the tree, the commitments, the tiles and the checkpoint."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.segment import SegmentName, file_sha256, read_segment, segments_in
from andon.adapters.segments.tiles import WIDTH, WIDTH_BITS, Tiles
from andon.base.errors import Tampered
from andon.ledger.checkpoint import Verifier
from andon.ledger.entry import Entry, check_payload, parse_header
from andon.ledger.merkle import HASH_BYTES, Frontier, leaf_hash

TELL_EVERY = 8_192


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found whole."""

    entries: int
    segments: int
    root: bytes


def verify_folder(log: SegmentLog, verifier: Verifier, tell: Callable[[int], None] | None = None) -> Checked:
    """Check a log that was opened.

    Raises:
        Tampered: something is not as it was recorded; the text names the file and the entry.
    """
    signed = verifier.open((log.folder / "checkpoint").read_bytes())
    frontier = Frontier()
    digests: dict[str, str] = {}
    level: list[bytes] = []
    names = segments_in(log.folder / "evidence")
    for seq, entry, place in _entries(log, names):
        leaf = leaf_hash(entry.header)
        frontier.push(leaf)
        if seq < log.closed:
            level.append(leaf)
        _check_entry(seq, entry, place, digests)
        if frontier.size == signed.size and frontier.root() != signed.root:
            raise Tampered(f"the entries 0 to {seq} are not those that the checkpoint signs")
        if tell is not None and seq % TELL_EVERY == 0:
            tell(seq)
    if frontier.size < signed.size:
        raise Tampered(f"entries {frontier.size} to {signed.size - 1} are gone")
    _check_files(log, names, digests)
    _check_tiles(log, level)
    return Checked(frontier.size, len(names), frontier.root())


def _entries(log: SegmentLog, names: list[SegmentName]) -> Iterator[tuple[int, Entry, str]]:
    for name in names:
        rows = read_segment(log.folder / "evidence" / name.file, name)
        yield from ((seq, entry, name.file) for seq, _, entry in rows)
    yield from ((seq, entry, "the write-ahead log") for seq, entry in log.read(log.closed))


def _check_entry(seq: int, entry: Entry, place: str, digests: dict[str, str]) -> None:
    try:
        check_payload(entry)
        fields = parse_header(entry.header)
    except Tampered as error:
        raise Tampered(f"entry {seq} in {place}: {error}") from None
    if fields["kind"] == "segment_close":
        digests[fields["file"]] = fields["sha256"]


def _check_files(log: SegmentLog, names: list[SegmentName], digests: dict[str, str]) -> None:
    for name in names:
        if digests.get(name.file) != file_sha256(log.folder / "evidence" / name.file):
            raise Tampered(f"{name.file} (entries {name.first} to {name.end - 1}) is not the file that was closed")


def _check_tiles(log: SegmentLog, hashes: list[bytes]) -> None:
    tiles, level = Tiles(log.folder / "tiles", log.disk), 0
    while hashes:
        path = tiles.path(level)
        if tiles.read(level, 0, len(hashes)) != hashes or path.stat().st_size != len(hashes) * HASH_BYTES:
            stored = tiles.read(level, 0, len(hashes))
            wrong = next((i for i, (a, b) in enumerate(zip(stored, hashes, strict=True)) if a != b), len(hashes))
            raise Tampered(f"{path.name} of the tiles is damaged at hash {wrong}, entry {wrong << WIDTH_BITS * level}")
        whole = len(hashes) - len(hashes) % WIDTH
        hashes = [_over(hashes[at : at + WIDTH]) for at in range(0, whole, WIDTH)]
        level += 1


def _over(hashes: list[bytes]) -> bytes:
    frontier = Frontier()
    for each in hashes:
        frontier.push(each)
    return frontier.root()
