"""A closed segment is plain Parquet: DuckDB checks its leaves and its columns without Andon."""

from pathlib import Path

import duckdb
import pytest

from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.segment import segments_in
from andon.base.errors import Tampered
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
