#!/usr/bin/env python3
"""Does ClickHouse read what Andon keeps? Checks a data folder's closed segments with its engine and nothing of Andon.

    python -m venv outside && outside/bin/pip install chdb      # ClickHouse as a library
    outside/bin/python benchmarks/outside.py DATA

It checks every leaf in SQL (SHA-256 of 0x00 and the header), joins evidence with analysis, and aggregates. Exit 1 when
a figure is not as it should be.
"""

import argparse
import sys


def main() -> int:
    """Ask, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data folder with closed segments")
    asked = parser.parse_args()
    import chdb  # noqa: PLC0415  # in an environment of its own, not in Andon's

    evidence = f"file('{asked.data}/ledger/w-main/evidence/*.parquet', Parquet)"
    analysis = f"file('{asked.data}/analysis/*/*.parquet', Parquet)"

    def ask(sql: str) -> list[int]:
        return [int(each) for each in str(chdb.query(sql, "TabSeparated")).split()]

    entries, sound = ask(f"SELECT count(), countIf(SHA256(concat(char(0), entry)) = toString(leaf)) FROM {evidence}")
    rows, joined = ask(
        f"SELECT count(), countIf(JSONExtractString(e.payload, 'id') = a.id) FROM {analysis} AS a"
        f" JOIN {evidence} AS e ON a.seq = e.seq"
    )
    kinds = str(chdb.query(f"SELECT kind, count(), min(ts), max(ts) FROM {analysis} GROUP BY kind", "TabSeparated"))
    version = str(chdb.query("SELECT version()", "TabSeparated")).strip()
    print(f"ClickHouse {version}: {entries:,} entries, {sound:,} leaves are the SHA-256 of their headers")
    print(f"{rows:,} rows of analysis tables, {joined:,} beside the entry of their id\n{kinds}", end="")
    return 0 if entries and entries == sound and rows == joined else 1


if __name__ == "__main__":
    sys.exit(main())
