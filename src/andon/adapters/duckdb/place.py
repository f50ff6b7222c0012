"""Where a log is: files on a disk or in object storage, or a table of a database."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from andon.adapters.duckdb.files import LogFiles, find_files, paths_of
from andon.adapters.duckdb.objects import Storage
from andon.adapters.duckdb.tables import ALIAS, LogTable, Part, find_table, is_table
from andon.base import address
from andon.base.errors import BadInput

Place: TypeAlias = LogFiles | LogTable


def find_place(
    given: Sequence[str] | str,
    storage: Storage | None = None,
    *,
    alias: str = ALIAS,
    part: Part | None = None,
) -> Place:
    """What paths, globs, folders or a URL name.

    Raises:
        BadInput: nothing is there, or it is visibly no data.
    """
    names = [given] if isinstance(given, str) else list(given)
    tables = [name for name in names if is_table(name)]
    if not tables:
        return find_files(names, storage)
    if len(names) > 1:
        raise BadInput(f"{address.shown(tables[0])} is one log by itself: name no other beside it")
    return find_table(tables[0], alias, part or Part())


def files_named(given: str) -> tuple[str, ...]:
    """The files on a disk that a path, glob, folder or URL stands for; none where nothing is to be found."""
    try:
        if Path(given).is_file():
            return (given,)
        if is_table(given):
            return find_table(given, ALIAS, Part()).files
        return () if address.is_url(given) else tuple(paths_of(given, Storage()))
    except (BadInput, OSError, ValueError):
        return ()
