"""Deep verification: every byte of a log against the tree, the commitments, the tiles and the checkpoint."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from andon.adapters.segments.analysis import folder_name, ids_of, tables_of
from andon.adapters.segments.columns import PEOPLE
from andon.adapters.segments.ids import encode_ids
from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.segment import (
    SegmentName,
    file_sha256,
    read_segment,
    require_whole,
    segments_in,
    tables_in,
    tables_sha256,
)
from andon.adapters.segments.snapshot import Snapshot
from andon.adapters.segments.tiles import WIDTH, WIDTH_BITS, Tiles
from andon.base.errors import Tampered
from andon.ledger.checkpoint import Checkpoint, Verifier
from andon.ledger.entry import Entry, check_payload
from andon.ledger.merkle import HASH_BYTES, Frontier, leaf_hashes, root_over

BATCH = 8_192


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found whole."""

    entries: int
    segments: int
    root: bytes


@dataclass(slots=True)
class _Course:
    """How far a verification has come."""

    signed: Checkpoint
    see: Callable[[int, Mapping[str, Any]], None] | None = None
    frontier: Frontier = field(default_factory=Frontier)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)


def verify_folder(
    log: SegmentLog | Snapshot, verifier: Verifier, see: Callable[[int, Mapping[str, Any]], None] | None = None
) -> Checked:
    """Check a log that was opened, or as it stands.

    Args:
        log: which.
        verifier: its key.
        see: shown the number and the header's fields of each entry, in order.

    Raises:
        Tampered: something is not as it was recorded; the text names the file and the entry.
    """
    course, evidence = _Course(verifier.open(log.note), see), log.folder / "evidence"
    level = Tiles(log.folder / "tiles", log.disk).read(0, 0, log.first)  # of deleted entries; the root proves them
    course.frontier.extend(level)
    names = [name for name in segments_in(evidence) if log.first <= name.first and name.end <= log.closed]
    for name in (*names, *log.noted):
        rows = [(seq, row) for seq, _, row in read_segment(evidence / name.file, name)]
        if name.end <= log.closed:
            level.extend(_check_entries(rows, name.file, course))
        _check_tables(log.analysis, name, rows, log.settings.key)
        _check_ids(evidence / name.ids, name, rows)
    require_whole(names, log.first, log.closed, evidence)
    for rows in _batches(log.read(log.closed)):
        _check_entries(rows, "the write-ahead log", course)
    if course.frontier.size < course.signed.size:
        raise Tampered(f"entries {course.frontier.size} to {course.signed.size - 1} are gone")
    _check_files(log, (*names, *log.noted), course.notes)
    _check_tiles(log, level)
    return Checked(course.frontier.size - log.first, len(names), course.frontier.root())


def _batches(rows: Iterator[tuple[int, Entry]]) -> Iterator[list[tuple[int, Entry]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _check_entries(rows: list[tuple[int, Entry]], place: str, course: _Course) -> list[bytes]:
    leaves, signed, first = leaf_hashes(entry.header for _, entry in rows), course.signed, course.frontier.size
    cut = signed.size - first if first < signed.size <= first + len(leaves) else 0
    course.frontier.extend(leaves[:cut])
    if cut and course.frontier.root() != signed.root:
        raise Tampered(f"the entries 0 to {signed.size - 1} are not those that the checkpoint signs")
    course.frontier.extend(leaves[cut:])
    for seq, entry in rows:
        try:
            fields = check_payload(entry)
        except Tampered as error:
            raise Tampered(f"entry {seq} in {place}: {error}") from None
        if fields["kind"] == "segment_close":
            course.notes[fields["file"]] = fields
        if course.see is not None:
            course.see(seq, fields)
    return leaves


def _check_files(
    log: SegmentLog | Snapshot, names: Sequence[SegmentName], notes: Mapping[str, Mapping[str, Any]]
) -> None:
    for name in names:
        note = notes.get(name.file, {})
        if note.get("sha256") != file_sha256(log.folder / "evidence" / name.file):
            raise Tampered(f"{name.file} (entries {name.first} to {name.end - 1}) is not the file that was closed")
        found = tables_in(log.analysis, name.file)
        tables = {str(path.relative_to(log.analysis)): file_sha256(path) for path in found}
        if note["tables"] != len(tables) or note["tables_sha256"] != tables_sha256(tables):
            raise Tampered(
                f"the analysis tables {', '.join(sorted(tables)) or name.file} (entries {name.first} to {name.end - 1})"
                " are not the files that were closed, though their rows are"
            )
    known = {name.file for name in (*names, *log.deleted)}
    for path in (each for each in log.analysis.rglob("*.parquet") if each.is_file()):
        is_later = log.is_closing and SegmentName.of(path).first >= log.closed
        if path.name not in known and not is_later:
            raise Tampered(f"{path} is an analysis table of no closed segment")


def _check_tables(folder: Path, name: SegmentName, rows: list[tuple[int, Entry]], key: bytes) -> None:
    """Make the analysis tables again and compare."""
    made = {folder_name(model): table for model, table in tables_of(rows, key).items()}
    there = {str(path.parent.relative_to(folder)) for path in tables_in(folder, name.file)}
    if extra := there - {str(Path(each)) for each in made}:
        raise Tampered(f"{extra.pop()}/{name.file} is an analysis table of a model that the evidence does not know")
    for model, table in made.items():
        path = folder / model / name.file
        if not path.exists():
            raise Tampered(f"the analysis table {path} (entries {name.first} to {name.end - 1}) is missing")
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                found = file.read()
            difference = None if found.equals(table) else _difference(found, table)
        except (pa.ArrowException, OSError, ValueError) as error:
            first = " ".join(str(error).split())[:120]
            raise Tampered(f"the analysis table {model}/{name.file} is damaged: {first}") from None
        if difference is not None:
            raise Tampered(f"the analysis table {model}/{name.file} was edited: {difference}")


def _check_ids(path: Path, name: SegmentName, rows: list[tuple[int, Entry]]) -> None:
    if not path.exists() or path.read_bytes() != encode_ids([ids_of(rows)]):
        place = f"entries {name.first} to {name.end - 1}"
        raise Tampered(f"{path.name} is missing, or not the index of the ids of {place}: restore it from a copy")


def _difference(found: pa.Table, made: pa.Table) -> str:
    if found.schema.names != made.schema.names or len(found) != len(made):
        return f"it has {len(found)} rows of {found.num_columns} columns, not {len(made)} of {made.num_columns}"
    for name in made.column_names:
        there, right = found[name].to_pylist(), made[name].to_pylist()
        for row, (a, b) in enumerate(zip(there, right, strict=True)):
            if a != b:
                key = " (or pseudonym.key is another than it was made with)" if name in PEOPLE else ""
                return f"{name} of entry {made['seq'][row].as_py()} is {a!r}, recorded was {b!r}{key}"
    return f"its columns have other types than the evidence from entry {made['seq'][0].as_py()} on gives"


def _check_tiles(log: SegmentLog | Snapshot, hashes: list[bytes]) -> None:
    tiles, level = Tiles(log.folder / "tiles", log.disk), 0
    while hashes:
        path = tiles.path(level)
        stored = tiles.read(level, 0, len(hashes))
        is_longer = not log.is_closing and path.stat().st_size != len(hashes) * HASH_BYTES
        if stored != hashes or is_longer:
            wrong = next((i for i, (a, b) in enumerate(zip(stored, hashes, strict=True)) if a != b), len(hashes))
            raise Tampered(f"{path.name} of the tiles is damaged at hash {wrong}, entry {wrong << WIDTH_BITS * level}")
        whole = len(hashes) - len(hashes) % WIDTH
        hashes = [root_over(hashes[at : at + WIDTH]) for at in range(0, whole, WIDTH)]
        level += 1
