"""Moved: import `andon.adapters.duckdb.log`."""

from andon.adapters.duckdb.log import open_log as open_log
