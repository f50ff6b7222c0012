"""A closed segment is plain Parquet: DuckDB checks its leaves and its columns without Andon."""

from pathlib import Path

import duckdb
import pytest

from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.segment import encode_segment, holds_rows, row_groups, segment_table, segments_in
from andon.adapters.segments.wal import groups_of
from andon.base.errors import Tampered
from andon.ledger.group import encode_group
from andon.ledger.merkle import leaf_hashes
from ledgers import Hasty, entry_of, open_log


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_log(tmp_path, Hasty(), segment=300) as log:
        for at in range(0, 1_000, 70):
            log.append([entry_of(at + i) for i in range(70)])
    return tmp_path


def test_duckdb_agrees_on_every_leaf(folder: Path) -> None:
    rows = duckdb.sql(
        f"""select count(*), count(*) filter (where sha256('\\x00'::blob || entry) = lower(hex(leaf))),
            count(distinct seq), max(seq) + 1 from read_parquet('{folder}/evidence/*.parquet')"""
    ).fetchall()
    assert rows == [(900, 900, 900, 900)]


def test_a_pair_is_plain_parquet_in_zstd(folder: Path) -> None:
    """What does not compress stays as it is."""
    [evidence], [table] = (list(folder.glob(f"{place}/*0000-300.parquet")) for place in ("evidence", "analysis/*"))
    sql = "select distinct path_in_schema, compression from parquet_metadata('{}')"
    codecs = dict(duckdb.sql(sql.format(evidence)).fetchall())
    assert codecs == {"seq": "ZSTD", "entry": "ZSTD", "payload": "ZSTD", "leaf": "UNCOMPRESSED", "salt": "UNCOMPRESSED"}
    assert {codec for _, codec in duckdb.sql(sql.format(table)).fetchall()} == {"ZSTD"}


def test_segments_cross_no_multiple_of_their_size(folder: Path) -> None:
    assert [(name.first, name.count) for name in segments_in(folder / "evidence")] == [(0, 300), (300, 300), (600, 300)]


def test_a_missing_segment_is_named(folder: Path) -> None:
    (folder / "evidence" / segments_in(folder / "evidence")[1].file).unlink()
    with pytest.raises(Tampered, match="entries 300 to 599 are missing"):
        open_log(folder, Hasty(), segment=300)


def test_tiles_are_those_of_c2sp(folder: Path) -> None:
    """256 hashes of level 0 make one of level 1."""
    sizes = [(folder / "tiles" / f"{level}.bin").stat().st_size // 32 for level in (0, 1)]
    assert sizes == [900, 3]
    assert not (folder / "tiles" / "2.bin").exists()
    with open_log(folder, Hasty(), segment=300) as log:
        assert isinstance(log, SegmentLog)
        assert (folder / "tiles" / "1.bin").read_bytes()[32:64] == log.nodes()(8, 1)


def test_rows_that_are_read_back_differ_or_are_too_few(tmp_path: Path) -> None:
    entries = [entry_of(i) for i in range(8_200)]
    table = segment_table(0, entries, leaf_hashes(entry.header for entry in entries))
    groups = list(row_groups([table]))
    path = tmp_path / "rows.parquet"
    path.write_bytes(encode_segment(table))
    assert all(holds_rows(path, 8_200, number, group) for number, group in enumerate(groups))
    assert not holds_rows(path, 8_201, 0, groups[0])
    assert not holds_rows(path, 8_200, 1, groups[1].set_column(4, "payload", [[b"other"] * 8]))
    assert not holds_rows(path, 8_200, 0, None)


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_write_ahead_log_that_became_short_is_not_closed(tmp_path: Path, cut: int) -> None:
    parts, last = b"", bytes(32)
    for first in (0, 5):
        entries = [entry_of(first + i) for i in range(5)]
        made, last = encode_group(first, entries, leaf_hashes(entry.header for entry in entries), last)
        parts += b"".join(made)
    path = tmp_path / "a.wal"
    path.write_bytes(parts)
    assert [group.first for group in groups_of(path, 0, bytes(32))] == [0, 5]
    path.write_bytes(parts[:-cut])
    with pytest.raises(Tampered, match=r"a.wal is damaged at entry 5"):
        list(groups_of(path, 0, bytes(32)))
