"""A closed segment as a plain Parquet file: sequence number, leaf, header, salt, payload."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from andon.adapters.segments.disk import files_in
from andon.base.errors import Tampered
from andon.ledger.entry import SALT_BYTES, Entry, is_committed
from andon.ledger.group import Block, Group
from andon.ledger.merkle import HASH_BYTES, leaf_hash, leaf_hashes

ROWS_PER_GROUP = 8_192
RESTORE = "restore it from a copy"
SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        ("leaf", pa.binary(HASH_BYTES)),
        ("entry", pa.binary()),
        ("salt", pa.binary()),
        ("payload", pa.binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class SegmentName:
    """`<first>-<count>.parquet`."""

    first: int
    count: int

    @classmethod
    def of(cls, path: Path) -> "SegmentName":
        """The segment of a file.

        Raises:
            Tampered: it has no segment's name.
        """
        first, _, count = path.stem.partition("-")
        if not (first.isascii() and first.isdigit() and count.isascii() and count.isdigit()):
            raise Tampered(f"{path} is no segment's name")
        return cls(int(first), int(count))

    @property
    def end(self) -> int:
        return self.first + self.count

    @property
    def file(self) -> str:
        return f"{self.first:020d}-{self.count}.parquet"

    @property
    def ids(self) -> str:
        """The file of its index."""
        return f"{self.first:020d}-{self.count}.ids"


def segments_in(folder: Path) -> list[SegmentName]:
    """The segments, in order; whether they follow one another says `require_whole`.

    Raises:
        Tampered: a file has no segment's name.
    """
    return [SegmentName.of(path) for path in files_in(folder, ".parquet")]


def require_whole(names: Sequence[SegmentName], first: int, end: int, folder: Path) -> None:
    """Refuse segments that do not hold the entries `[first, end)` one after the other.

    Raises:
        Tampered: one is missing, or two overlap.
    """
    at = first
    for name in names:
        if name.first != at:
            raise Tampered(f"the entries {at} to {name.first - 1} are missing in {folder}")
        at = name.end
    if at < end:
        raise Tampered(f"the entries {at} to {end - 1} are missing in {folder}")


def segment_table(first: int, entries: Sequence[Entry], leaves: Sequence[bytes]) -> pa.Table:
    """Entries as rows of a segment."""
    headers, salts, payloads = ([getattr(each, name) for each in entries] for name in ("header", "salt", "payload"))
    columns = [_binary(list(map(len, each)), b"".join(each)) for each in (headers, salts, payloads)]
    return _rows(first, leaves, columns)


def group_table(group: Group) -> pa.Table:
    """A group of the write-ahead log as rows of a segment; its blocks become columns as they are."""
    headers, salts, payloads = group.blocks
    sizes = np.array(group.sizes)
    columns = [
        _binary(list(map(len, group.headers)), headers),
        _binary(SALT_BYTES * (sizes > 0), salts),
        _binary(sizes, payloads),
    ]
    return _rows(group.first, group.leaves, columns)


def _rows(first: int, leaves: Sequence[bytes], columns: Sequence[pa.Array]) -> pa.Table:
    hashes = [None, pa.py_buffer(b"".join(leaves))]
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(HASH_BYTES), len(leaves), hashes)
    return pa.Table.from_arrays([pa.array(np.arange(first, first + len(leaves))), fixed, *columns], schema=SCHEMA)


def _binary(lengths: Sequence[int] | NDArray[np.int64], block: Block) -> pa.Array:
    """Values one after the other as a column: pa.array takes five times as long."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.BinaryArray.from_buffers(pa.binary(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(block)])


def row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, 8,192 at a time."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += len(table)
        while rows >= ROWS_PER_GROUP:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, ROWS_PER_GROUP)
            waiting, rows = [whole.slice(ROWS_PER_GROUP)], rows - ROWS_PER_GROUP
    if rows:
        yield pa.concat_tables(waiting)


class SegmentWriter:
    """Makes the bytes of a segment's file from its rows, a row group at a time."""

    def __init__(self) -> None:
        self._sink = pa.BufferOutputStream()
        self._writer = pq.ParquetWriter(
            self._sink,
            SCHEMA,
            compression={"seq": "zstd", "leaf": "none", "entry": "zstd", "salt": "none", "payload": "zstd"},
            compression_level={"seq": 1, "entry": 1, "payload": 1},
            use_dictionary=False,
            write_statistics=["seq"],
            write_page_checksum=True,
            column_encoding={"seq": "DELTA_BINARY_PACKED"},
        )

    def add(self, table: pa.Table) -> None:
        """Add a row group of up to 8,192 rows."""
        self._writer.write_table(table)

    def finish(self) -> bytes:
        """All of the file."""
        self._writer.close()
        encoded: bytes = self._sink.getvalue().to_pybytes()
        return encoded


def encode_segment(table: pa.Table) -> bytes:
    """The bytes of a segment's file."""
    writer = SegmentWriter()
    for group in row_groups([table]):
        writer.add(group)
    return writer.finish()


def holds_rows(path: Path, count: int, number: int, group: pa.Table | None) -> bool:
    """Whether a file has so many rows, and gives back exactly one of its row groups."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        is_same = group is not None and file.read_row_group(number, use_threads=False).equals(group)
        return is_same and file.metadata.num_rows == count


def read_segment(path: Path, name: SegmentName) -> Iterator[tuple[int, bytes, Entry]]:
    """`(seq, leaf, entry)` in order; each leaf is checked against its entry.

    Raises:
        Tampered: the file cannot be read, or an entry is not the one that its leaf was made from.
    """
    expected = name.first
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=SCHEMA.names):
                seqs, leaves, headers, salts, payloads = map(_whole_column, batch.columns)
                made = leaf_hashes(headers)
                is_whole = made == leaves and seqs == list(range(expected, expected + len(seqs)))
                for seq, leaf, row in zip(seqs, leaves, map(Entry, headers, salts, payloads), strict=True):
                    if not is_whole and (seq != expected or leaf != made[seq - seqs[0]]):
                        raise Tampered(f"entry {expected} in {path.name} is not what was recorded; {RESTORE}")
                    expected += 1
                    yield seq, leaf, row
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        first = " ".join(str(error).split())[:120]
        place = _damaged_place(path, name, expected)
        raise Tampered(f"{path.name} is damaged at {place}: {first}; {RESTORE}") from None
    if expected != name.end:
        raise Tampered(f"{path.name} holds {expected - name.first} entries, its name says {name.count}; {RESTORE}")


def _whole_column(column: pa.Array) -> list[Any]:
    if column.null_count:
        raise ValueError("a value is missing")
    values: list[Any] = column.to_pylist()
    return values


def _damaged_place(path: Path, name: SegmentName, first: int) -> str:
    """Which entry it is of the row group that begins with `first`, where that can still be unpacked."""
    try:
        with pq.ParquetFile(path) as file:
            end = min(name.end, first + ROWS_PER_GROUP)
            rows = _unpacked(file, (first - name.first) // ROWS_PER_GROUP)
    except (pa.ArrowException, OSError, ValueError):
        return f"its end, so that the entries {name.first} to {name.end - 1} cannot be read"
    for seq, row in enumerate(rows, first):
        entry = Entry(row["entry"], row["salt"], row["payload"])
        if row["seq"] != seq or row["leaf"] != leaf_hash(entry.header) or not is_committed(entry):
            return f"entry {seq}"
    return f"one of the entries {first} to {end - 1}"


def _unpacked(file: pq.ParquetFile, number: int) -> list[dict[str, Any]]:
    """The rows of a row group, whatever their checksums say; none where they cannot be unpacked."""
    try:
        table = file.read_row_group(number, columns=SCHEMA.names)
        rows: list[dict[str, Any]] = table.to_pylist() if table.schema.names == SCHEMA.names else []
    except (pa.ArrowException, OSError, ValueError):
        return []
    return rows


def read_headers(path: Path) -> Iterator[tuple[int, bytes]]:
    """`(seq, header)` in order; reads no payload.

    Raises:
        Tampered: the file cannot be read.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=["seq", "entry"]):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Tampered(f"{path.name} is damaged: {' '.join(str(error).split())[:120]}; {RESTORE}") from None


def read_row(path: Path, seq: int, place: int) -> tuple[int, Entry]:
    """The entry at a place of a file, whose number has to be `seq`; reads one row group.

    Raises:
        Tampered: the file cannot be read, or another entry stands there.
    """
    group, row = divmod(place, ROWS_PER_GROUP)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            found = file.read_row_group(group, columns=["seq", "entry", "salt", "payload"]).slice(row, 1).to_pylist()
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Tampered(f"{path.name} is damaged: {' '.join(str(error).split())[:120]}; {RESTORE}") from None
    if not found or found[0].pop("seq") != seq:
        raise Tampered(f"entry {seq} does not stand at its place in {path.name}")
    return seq, Entry(found[0]["entry"], found[0]["salt"], found[0]["payload"])


def find_rows(path: Path, pattern: str) -> Iterator[tuple[int, Entry]]:
    """The entries whose header matches a regular expression, in order; reads payloads only where they have some.

    Raises:
        Tampered: the file cannot be read.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for number in range(file.num_row_groups):
                yield from _matching(file, number, pattern)
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Tampered(f"{path.name} is damaged: {' '.join(str(error).split())[:120]}; {RESTORE}") from None


def _matching(file: pq.ParquetFile, number: int, pattern: str) -> Iterator[tuple[int, Entry]]:
    table = file.read_row_group(number, columns=["seq", "entry"])
    matches = pc.match_substring_regex(table["entry"], pattern)
    found = table.filter(matches)
    seqs, headers = (column.to_pylist() for column in found.columns)
    entries = map(Entry, headers)
    if any(b'"n":' in header for header in headers):
        rest = file.read_row_group(number, columns=["salt", "payload"]).filter(matches)
        entries = map(Entry, headers, *(column.to_pylist() for column in rest.columns))
    yield from zip(seqs, entries, strict=True)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def tables_in(folder: Path, file: str) -> list[Path]:
    """The analysis tables of a segment, one in each model's folder; a model without a name has none of its own."""
    return [path for path in (folder / file, *folder.glob(f"*/{file}")) if path.is_file()]


def later_tables(folder: Path, closed: int) -> set[SegmentName]:
    """The segments from entry `closed` on that have an analysis table."""
    names = {SegmentName.of(path) for path in folder.glob("*/*.parquet") if path.is_file()}
    return {name for name in names if name.first >= closed}


def tables_sha256(tables: Mapping[str, str]) -> str:
    """What a note says of a segment's analysis tables: SHA-256 of the list that `sha256sum` would print of them."""
    return sha256("".join(f"{digest}  {name}\n" for name, digest in sorted(tables.items())).encode()).hexdigest()
