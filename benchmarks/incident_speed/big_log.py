"""The log that is scanned beside: made up, with a feature that breaks in one region in its last third.

Usage: python big_log.py ROWS FOLDER. Writes log.parquet, reference.parquet and model.yaml.
"""

import sys
from pathlib import Path

import duckdb

MODEL = """\
model_id: big
id_column: id
time_column: ts
prediction_column: prediction
score_column: score
features: [amount, age, income, channel]
segments: [region]
label_column: label
"""
REFERENCE_ROWS = 100_000
DAYS = 60


def chance(number: int) -> str:
    """A number from 0 to 1 that looks random, the same each time."""
    return f"(hash(i, {number}) / 18446744073709551615.0)"


def rows(count: int, start: str, broken_from: int) -> str:
    """A query of so many decisions over 60 days; from one row on `income` is 0 in the region r3."""
    return f"""
        select 'p' || i as id, timestamp '{start}' + i * interval '{DAYS * 86_400_000_000 // count} microseconds' as ts,
            (score > 0.7)::int as prediction, score, amount, age,
            case when region = 'r3' and i >= {broken_from} then 0.0 else income end as income, channel, region,
            (score + 0.3 * h > 0.85)::int as label
        from (
            select i, {chance(1)} as score, 100.0 * {chance(2)} as amount, 18 + hash(i, 3) % 60 as age,
                1000.0 + 50000.0 * {chance(4)} as income, 'c' || (hash(i, 5) % 4) as channel,
                'r' || (hash(i, 6) % 6) as region, {chance(7)} as h
            from range({count}) as t(i)
        )
    """


def write(count: int, folder: Path) -> None:
    """Write the three files."""
    for name, size, start, broken in (
        ("log", count, "2026-01-01", count * 2 // 3),
        ("reference", min(count, REFERENCE_ROWS), "2025-10-01", count),
    ):
        duckdb.sql(f"copy ({rows(size, start, broken)}) to '{folder / name}.parquet' (format parquet)")
    (folder / "model.yaml").write_text(MODEL, encoding="utf-8")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
