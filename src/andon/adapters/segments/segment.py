"""A closed segment as a plain Parquet file: sequence number, leaf, header, salt, payload."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from andon.base.errors import Tampered
from andon.ledger.entry import Entry
from andon.ledger.merkle import leaf_hash

ROWS_PER_GROUP = 8_192
SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        ("leaf", pa.binary(32)),
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
    """The segments, in order.

    Raises:
        Tampered: one is missing between two others, or two overlap.
    """
    names = []
    for path in sorted(folder.glob("*.parquet")):
        first, _, count = path.stem.partition("-")
        if not (first.isascii() and first.isdigit() and count.isascii() and count.isdigit()):
            raise Tampered(f"{path} is no segment's name")
        names.append(SegmentName(int(first), int(count)))
    end = 0
    for name in names:
        if name.first != end:
            raise Tampered(f"the entries {end} to {name.first - 1} are missing in {folder}")
        end = name.end
    return names


def segment_table(first: int, entries: Sequence[Entry], leaves: Sequence[bytes]) -> pa.Table:
    """The rows of a segment."""
    columns = [
        pa.array(range(first, first + len(entries)), pa.int64()),
        pa.array(leaves, pa.binary(32)),
        pa.array([entry.header for entry in entries], pa.binary()),
        pa.array([entry.salt for entry in entries], pa.binary()),
        pa.array([entry.payload for entry in entries], pa.binary()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def encode_segment(table: pa.Table) -> bytes:
    """The bytes of a segment's file."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=False,
        write_page_checksum=True,
        row_group_size=ROWS_PER_GROUP,
        column_encoding={"seq": "DELTA_BINARY_PACKED"},
    )
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def holds_rows(path: Path, table: pa.Table) -> bool:
    """Whether a file gives back exactly these rows."""
    return bool(pq.read_table(path, page_checksum_verification=True).equals(table))


def read_segment(path: Path, name: SegmentName) -> Iterator[tuple[int, bytes, Entry]]:
    """`(seq, leaf, entry)` in order; each leaf is checked against its entry.

    Raises:
        Tampered: the file cannot be read, or an entry is not the one that its leaf was made from.
    """
    expected = name.first
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=SCHEMA.names):
                for seq, leaf, header, salt, payload in zip(*(c.to_pylist() for c in batch.columns), strict=True):
                    if seq != expected or leaf != leaf_hash(header):
                        raise Tampered(f"entry {expected} in {path.name} is not what was recorded")
                    expected += 1
                    yield seq, leaf, Entry(header, salt, payload)
    except (pa.ArrowException, OSError, ValueError) as error:
        first = " ".join(str(error).split())[:120]
        raise Tampered(f"{path.name} is damaged near entry {expected}: {first}") from None
    if expected != name.end:
        raise Tampered(f"{path.name} holds {expected - name.first} entries, its name says {name.count}")


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
