"""The rows that stand for a log are those with the smallest MD5 of their ids, however few of them are put in order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from andon.adapters.duckdb.log import SAMPLED_OVER, open_log
from andon.adapters.memory_log import MemoryLog
from andon.inventory.model import Columns, Model
from andon.telemetry.plan import CategoryCoding, Coding, NumberCoding

MODEL = Model("m", Columns("id", "ts"))
CODINGS: dict[str, Coding] = {
    "x": NumberCoding("x", (100.0, 900.0, 1500.0)),
    "x by its text": CategoryCoding("x", ("7", "8"), unseen_cells=1 << 12),
    "gone": NumberCoding("gone", (1.0,)),
}
ROWS = 2_000


@pytest.mark.parametrize("named", [ROWS, 300], ids=["ids", "few ids"])
@pytest.mark.parametrize("wanted", [1, 50, 250, int(ROWS / SAMPLED_OVER), ROWS, 3 * ROWS])
def test_the_sample_is_that_of_the_twin(named: int, wanted: int, tmp_path: Path) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows: list[dict[str, object]] = [
        {"id": f"p{n}" if n < named else None, "ts": start + n * timedelta(minutes=1), "x": float(n)}
        for n in range(ROWS)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "log.parquet")
    twin = MemoryLog(rows, MODEL).sample(CODINGS, wanted)
    with open_log(str(tmp_path / "log.parquet"), MODEL) as log:
        found = log.sample(CODINGS, wanted)
    told = min(wanted, named)  # the order of rows without an id is anybody's
    assert {name: codes[:told].tolist() for name, codes in found.items()} == {
        name: codes[:told].tolist() for name, codes in twin.items()
    }
    assert {len(codes) for codes in found.values()} == {min(wanted, ROWS)}
