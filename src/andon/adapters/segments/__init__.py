"""A ledger log in files: write-ahead log, tiles, Parquet segments, recovery."""
