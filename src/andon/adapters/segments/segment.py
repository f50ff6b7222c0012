"""A closed segment as a plain Parquet file: sequence number, leaf, header, salt, payload."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from andon.base.errors import Tampered
from andon.ledger.entry import Entry
from andon.ledger.merkle import HASH_BYTES, leaf_hashes

ROWS_PER_GROUP = 8_192
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

    @property
    def end(self) -> int:
        return self.first + self.count

    @property
    def file(self) -> str:
        return f"{self.first:020d}-{self.count}.parquet"


def segments_in(folder: Path) -> list[SegmentName]:
    """The segments, in order; whether they follow one another says `require_whole`.

    Raises:
        Tampered: a file has no segment's name.
    """
    names = []
    for path in sorted(folder.glob("*.parquet")):
        first, _, count = path.stem.partition("-")
        if not (first.isascii() and first.isdigit() and count.isascii() and count.isdigit()):
            raise Tampered(f"{path} is no segment's name")
        names.append(SegmentName(int(first), int(count)))
    return names


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
    """The rows of a segment."""
    columns = [
        pa.array(np.arange(first, first + len(entries))),
        pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(HASH_BYTES), len(leaves), [None, pa.py_buffer(b"".join(leaves))]
        ),
        binary_column([entry.header for entry in entries]),
        binary_column([entry.salt for entry in entries]),
        binary_column([entry.payload for entry in entries]),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def binary_column(values: Sequence[bytes]) -> pa.Array:
    """Bytes as a column, by one copy: pa.array takes five times as long."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    return pa.BinaryArray.from_buffers(pa.binary(), len(values), buffers)


def encode_segment(table: pa.Table) -> bytes:
    """The bytes of a segment's file."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression={"seq": "zstd", "leaf": "none", "entry": "zstd", "salt": "none", "payload": "zstd"},
        compression_level={"seq": 1, "entry": 1, "payload": 1},
        use_dictionary=False,
        write_statistics=["seq"],
        write_page_checksum=True,
        row_group_size=ROWS_PER_GROUP,
        column_encoding={"seq": "DELTA_BINARY_PACKED"},
    )
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def holds_rows(path: Path, table: pa.Table) -> bool:
    """Whether a file gives back exactly these rows."""
    return bool(pq.read_table(path, page_checksum_verification=True, use_threads=False).equals(table))


def read_segment(path: Path, name: SegmentName) -> Iterator[tuple[int, bytes, Entry]]:
    """`(seq, leaf, entry)` in order; each leaf is checked against its entry.

    Raises:
        Tampered: the file cannot be read, or an entry is not the one that its leaf was made from.
    """
    expected = name.first
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=SCHEMA.names):
                seqs, leaves, headers, salts, payloads = (column.to_pylist() for column in batch.columns)
                made = leaf_hashes(headers)
                is_whole = made == leaves and seqs == list(range(expected, expected + len(seqs)))
                for seq, leaf, row in zip(seqs, leaves, map(Entry, headers, salts, payloads), strict=True):
                    if not is_whole and (seq != expected or leaf != made[seq - seqs[0]]):
                        raise Tampered(f"entry {expected} in {path.name} is not what was recorded")
                    expected += 1
                    yield seq, leaf, row
    except (pa.ArrowException, OSError, ValueError) as error:
        first = " ".join(str(error).split())[:120]
        raise Tampered(f"{path.name} is damaged near entry {expected}: {first}") from None
    if expected != name.end:
        raise Tampered(f"{path.name} holds {expected - name.first} entries, its name says {name.count}")


def find_headers(path: Path, pattern: str) -> list[int]:
    """The numbers of the entries whose header matches a regular expression; reads no payload.

    Raises:
        Tampered: the file cannot be read.
    """
    try:
        table = pq.read_table(path, columns=["seq", "entry"], page_checksum_verification=True)
        found = table["seq"].filter(pc.match_substring_regex(table["entry"], pattern))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Tampered(f"{path.name} is damaged: {' '.join(str(error).split())[:120]}") from None
    return [int(seq) for seq in found.to_pylist()]


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def tables_sha256(tables: Mapping[str, str]) -> str:
    """What a note says of a segment's analysis tables: SHA-256 of the list that `sha256sum` would print of them."""
    return sha256("".join(f"{digest}  {name}\n" for name, digest in sorted(tables.items())).encode()).hexdigest()
