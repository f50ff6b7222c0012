"""A log in Parquet, CSV or JSON lines files, read by DuckDB."""
