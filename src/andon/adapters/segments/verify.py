"""Deep verification: every byte of a log against the tree, the commitments, the tiles and the checkpoint."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from andon.adapters.segments.analysis import folder_name, ids_of, tables_of
from andon.adapters.segments.columns import PEOPLE
from andon.adapters.segments.disk import files_in
from andon.adapters.segments.ids import encode_ids
from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.segment import (
    RESTORE,
    SegmentName,
    file_sha256,
    later_tables,
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
    torn: dict[str, str] = field(default_factory=dict)


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
    tiles = Tiles(log.folder / "tiles", log.disk)
    level = tiles.read(0, 0, log.first)  # of deleted entries; the root proves them
    course.frontier.extend(level)
    names = [name for name in segments_in(evidence) if log.first <= name.first and name.end <= log.closed]
    for name in (*names, *log.noted):
        rows = [(seq, row) for seq, _, row in read_segment(evidence / name.file, name)]
        if name.end <= log.closed:
            level.extend(_check_entries(rows, name.file, course, tiles.read(0, name.first, name.count)))
        _check_tables(log.analysis, name, rows, log.settings.key)
        _check_ids(evidence / name.ids, name, rows)
    require_whole(names, log.first, log.closed, evidence)
    for rows in _batches(log.read(log.closed)):
        _check_entries(rows, "the write-ahead log", course)
    if course.frontier.size < course.signed.size:
        raise Tampered(f"entries {course.frontier.size} to {course.signed.size - 1} are gone; {RESTORE}")
    _check_files(log, (*names, *log.noted), course.notes)
    if not log.is_live:
        _check_leftovers(log)
    _check_torn(log.folder / "quarantine", course.torn)
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


def _check_entries(
    rows: list[tuple[int, Entry]], place: str, course: _Course, stored: Sequence[bytes] | None = None
) -> list[bytes]:
    """Check entries against their payloads, the tree, and the hashes that are `stored`; returns their leaves."""
    leaves, signed, first = leaf_hashes(entry.header for _, entry in rows), course.signed, course.frontier.size
    if stored is not None and leaves != stored:
        wrong = next(at for at, pair in enumerate(zip(leaves, stored, strict=True)) if pair[0] != pair[1])
        raise Tampered(
            f"entry {first + wrong} in {place} is not what was recorded, or its hash in 0.bin is not; {RESTORE}"
        )
    cut = signed.size - first if first < signed.size <= first + len(leaves) else 0
    course.frontier.extend(leaves[:cut])
    if cut and course.frontier.root() != signed.root:
        raise Tampered(f"the entries 0 to {signed.size - 1} are not those that the checkpoint signs; {RESTORE}")
    course.frontier.extend(leaves[cut:])
    for seq, entry in rows:
        try:
            _check_entry(seq, entry, course)
        except (Tampered, KeyError, TypeError) as error:
            why = error if isinstance(error, Tampered) else "its header is none of Andon's"
            raise Tampered(f"entry {seq} in {place}: {why}; {RESTORE}") from None
    return leaves


def _check_entry(seq: int, entry: Entry, course: _Course) -> None:
    fields = check_payload(entry)
    if fields["kind"] == "segment_close":
        course.notes[fields["file"]] = fields
    elif fields["kind"] == "recovery":
        stem, byte, digest = fields["file"].removesuffix(".wal"), fields["byte"], fields["sha256"]
        course.torn[f"{stem}-{byte}-{digest[:8]}.torn"] = digest
    if course.see is not None:
        course.see(seq, fields)


def _check_files(
    log: SegmentLog | Snapshot, names: Sequence[SegmentName], notes: Mapping[str, Mapping[str, Any]]
) -> None:
    for name in names:
        note = notes.get(name.file, {})
        if note.get("sha256") != file_sha256(log.folder / "evidence" / name.file):
            entries = f"entries {name.first} to {name.end - 1}"
            raise Tampered(f"{name.file} ({entries}) is not the file that was closed; {RESTORE}")
        found = tables_in(log.analysis, name.file)
        tables = {str(path.relative_to(log.analysis)): file_sha256(path) for path in found}
        if note["tables"] != len(tables) or note["tables_sha256"] != tables_sha256(tables):
            raise Tampered(
                f"the analysis tables {', '.join(sorted(tables)) or name.file} (entries {name.first} to {name.end - 1})"
                f" are not the files that were closed, though their rows are; {RESTORE}"
            )
    _check_strangers(log, names)


def _check_strangers(log: SegmentLog | Snapshot, names: Sequence[SegmentName]) -> None:
    """Refuse what stands among the tables and is none."""
    known = {name.file for name in (*names, *log.deleted)}
    for path in log.analysis.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            continue
        is_table = path.suffix == ".parquet" and log.analysis in (path.parent, path.parent.parent)
        is_known = is_table and path.name in known
        is_later = is_table and SegmentName.of(path).first >= log.closed
        if path.is_symlink() or not (is_known or is_later or path.suffix == ".new"):
            raise Tampered(f"{path} is an analysis table of no closed segment: move it out of the folder")
    for path in files_in(log.folder / "evidence", ".ids"):
        name = SegmentName.of(path)
        if name.first < log.closed and name not in {*names, *log.deleted}:
            raise Tampered(f"{path} is the index of no closed segment: move it out of the folder")


def _check_leftovers(log: SegmentLog | Snapshot) -> None:
    """What a closing that broke off left has to be what it would have made of the write-ahead log."""
    names = {*log.broken_off, *later_tables(log.analysis, log.closed)} - {*log.noted}
    for name in sorted(names, key=lambda each: (each.first, each.count)):
        rows = [row for row in log.read(name.first) if row[0] < name.end]
        evidence = log.folder / "evidence" / name.file
        made = [(seq, row) for seq, _, row in read_segment(evidence, name)] if evidence.exists() else rows
        if made != rows or len(rows) != name.count:
            raise Tampered(f"{name.file} holds no entries of the log, though no closing is under way: move it away")
        tables = {folder_name(model): table for model, table in tables_of(rows, log.settings.key).items()}
        for path in tables_in(log.analysis, name.file):
            _check_table(path, tables.get(path.parent.name))


def _check_torn(folder: Path, noted: Mapping[str, str]) -> None:
    """Each torn end that was put aside is there and is the one that an entry names.

    A crash may have come before its entry: its name says what it holds all the same.
    """
    there = {path.name: path for path in files_in(folder, ".torn")}
    for name, path in there.items():
        digest = file_sha256(path)
        if digest != noted.get(name, digest) or name.rpartition("-")[2] != f"{digest[:8]}.torn":
            raise Tampered(f"{path} is not what was put aside there; {RESTORE}")
    if missing := sorted(noted.keys() - there.keys()):
        raise Tampered(f"{folder / missing[0]}, a torn end that was put aside, is missing; {RESTORE}")


def _check_tables(folder: Path, name: SegmentName, rows: list[tuple[int, Entry]], key: bytes) -> None:
    """Make the analysis tables again and compare."""
    made = {folder_name(model): table for model, table in tables_of(rows, key).items()}
    there = {str(path.parent.relative_to(folder)) for path in tables_in(folder, name.file)}
    if extra := there - {str(Path(each)) for each in made}:
        _check_table(folder / extra.pop() / name.file, None)
    for model, table in made.items():
        path = folder / model / name.file
        if not path.exists():
            entries = f"entries {name.first} to {name.end - 1}"
            raise Tampered(f"the analysis table {path} ({entries}) is missing; {RESTORE}")
        _check_table(path, table)


def _check_table(path: Path, table: pa.Table | None) -> None:
    """Compare a table's file with the table that the evidence makes; None: it makes none."""
    name = f"{path.parent.name}/{path.name}"
    if table is None:
        raise Tampered(f"{name} is an analysis table of a model that the evidence does not know: move it away")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            found = file.read()
        difference = None if found.equals(table) else _difference(found, table)
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        first = " ".join(str(error).split())[:120]
        raise Tampered(f"the analysis table {name} is damaged: {first}; {RESTORE}") from None
    if difference is not None:
        raise Tampered(f"the analysis table {name} was edited: {difference}; {RESTORE}")


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
        is_longer = not log.is_live and not log.noted and path.stat().st_size != len(hashes) * HASH_BYTES
        if stored != hashes or is_longer:
            wrong = next((i for i, (a, b) in enumerate(zip(stored, hashes, strict=True)) if a != b), len(hashes))
            raise Tampered(
                f"{path.name} of the tiles is damaged at hash {wrong}, entry {wrong << WIDTH_BITS * level}; {RESTORE}"
            )
        whole = len(hashes) - len(hashes) % WIDTH
        hashes = [root_over(hashes[at : at + WIDTH]) for at in range(0, whole, WIDTH)]
        level += 1
    if not log.is_live and not log.noted and tiles.path(level).exists():
        raise Tampered(f"{tiles.path(level)} is of a level that a tree of {log.closed} does not have: move it away")
