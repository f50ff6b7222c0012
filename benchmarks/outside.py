#!/usr/bin/env python3
"""Do other engines read what Andon keeps? Checks a data folder's closed segments with one, and nothing of Andon.

    python -m venv outside && outside/bin/pip install chdb      # ClickHouse as a library
    outside/bin/python benchmarks/outside.py DATA
    python -m venv spark && spark/bin/pip install pyspark       # needs Java 17
    spark/bin/python benchmarks/outside.py DATA --engine spark

It checks every leaf in SQL (SHA-256 of 0x00 and the header), joins evidence with analysis, and aggregates. Exit 1 when
a figure is not as it should be.
"""

import argparse
import sys
from collections.abc import Callable

Rows = list[tuple[object, ...]]
Asked = tuple[str, Callable[[str], Rows], dict[str, str]]
"""An engine's name and version, what asks it, and its words for the same things."""


def clickhouse(data: str) -> Asked:
    """ClickHouse as a library."""
    import chdb  # noqa: PLC0415  # in an environment of its own, not in Andon's

    def ask(sql: str) -> Rows:
        return [tuple(line.split("\t")) for line in str(chdb.query(sql, "TabSeparated")).splitlines()]

    words = {
        "evidence": f"file('{data}/ledger/w-main/evidence/*.parquet', Parquet)",
        "analysis": f"file('{data}/analysis/*/*.parquet', Parquet)",
        "is_sound": "SHA256(concat(char(0), entry)) = toString(leaf)",
        "id": "JSONExtractString(e.payload, 'id')",
        "count_if": "countIf",
    }
    return f"ClickHouse {ask('SELECT version()')[0][0]}", ask, words


def spark(data: str) -> Asked:
    """Spark in this process, two threads."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  # as above

    made = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    made.read.parquet(f"{data}/ledger/w-main/evidence/*.parquet").createOrReplaceTempView("evidence")
    made.read.parquet(f"{data}/analysis/*/*.parquet").createOrReplaceTempView("analysis")
    words = {
        "evidence": "evidence",
        "analysis": "analysis",
        "is_sound": "sha2(concat(X'00', entry), 256) = lower(hex(leaf))",
        "id": "get_json_object(decode(e.payload, 'UTF-8'), '$.id')",
        "count_if": "count_if",
    }
    return f"Spark {made.version}", lambda sql: [tuple(row) for row in made.sql(sql).collect()], words


def main() -> int:
    """Ask, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data folder with closed segments")
    parser.add_argument("--engine", choices=("clickhouse", "spark"), default="clickhouse")
    asked = parser.parse_args()
    name, ask, words = {"clickhouse": clickhouse, "spark": spark}[asked.engine](asked.data)
    evidence, analysis, count_if = words["evidence"], words["analysis"], words["count_if"]
    [checked] = ask(f"SELECT count(*), {count_if}({words['is_sound']}) FROM {evidence}")
    [beside] = ask(
        f"SELECT count(*), {count_if}({words['id']} = a.id) FROM {analysis} AS a JOIN {evidence} AS e ON a.seq = e.seq"
    )
    (entries, sound), (rows, joined) = (map(int, map(str, each)) for each in (checked, beside))
    print(f"{name}: {entries:,} entries, {sound:,} leaves are the SHA-256 of their headers")
    print(f"{rows:,} rows of analysis tables, {joined:,} beside the entry of their id")
    for row in ask(f"SELECT kind, count(*), min(ts), max(ts) FROM {analysis} GROUP BY kind"):
        print(*row, sep="\t")
    return 0 if entries and entries == sound and rows == joined else 1


if __name__ == "__main__":
    sys.exit(main())
