"""The keys of JSON lines as columns, and the types that their values have."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from andon.adapters.duckdb.connection import Connection, described
from andon.adapters.duckdb.files import LogFiles
from andon.base.errors import BadInput

TOGETHER: Final = 8
"""The engine looks into so many files at once: it holds 32 MiB of each until it knows the types of all."""
_NUMBERS: Final = ("BIGINT", "UBIGINT", "HUGEINT", "DOUBLE")
"""A column of two of these has the later one."""
_TEXTS: Final = frozenset({"VARCHAR", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "UUID"})
_NEVER: Final = '"NULL"'


def keys_of(connection: Connection, files: LogFiles) -> dict[str, str]:
    """The keys of all files with their DuckDB types.

    Raises:
        BadInput: no keys can be columns, or two differ in capital letters only.
    """
    found = _seen(connection, files)
    if list(found) == ["json"]:
        found = _by_keys(connection, files)
    _require_one_case(connection, files, found)
    return found


def _seen(connection: Connection, files: LogFiles, *, rare_keys: bool = False) -> dict[str, str]:
    """As the engine says of a few files; of more, what it says of some at a time put together as it would."""
    found = dict[str, str]()
    for start in range(0, len(files.paths), TOGETHER):
        some = replace(files, paths=files.paths[start : start + TOGETHER])
        part = described(connection, some.reader(rare_keys=rare_keys))
        if list(part) == ["json"] and not rare_keys:
            return part
        found |= {name: either(found.get(name, kind), kind) for name, kind in part.items()}
    return found


def either(one: str, other: str) -> str:
    """The type of a column that has one type in some files and another in others."""
    if _NEVER in (one, other):
        return other if one == _NEVER else one
    kinds = {one, other}
    if len(kinds) == 1:
        return one
    if kinds <= set(_NUMBERS):
        return max(kinds, key=_NUMBERS.index)
    if all(kind.startswith("STRUCT(") for kind in kinds):
        return one  # of structures only their absence is looked at
    return "VARCHAR" if kinds <= _TEXTS else "JSON"


def _require_one_case(connection: Connection, files: LogFiles, names: Iterable[str]) -> None:
    """Refuse keys that differ in capital letters only: the engine calls `P` beside `p` a column `P_1`.

    Raises:
        BadInput: there are some.
    """
    known = dict[str, str]()
    for name in names:
        other = known.setdefault(name.casefold(), name)
        if other != name:
            raise _two_cases(files, name, other)
    for name in names:
        key, sign, number = name.rpartition("_")
        other = known.get(key.casefold(), key)
        if sign and number.isdecimal() and other != key and files.holds(connection, key):
            raise _two_cases(files, key, other)


def _two_cases(files: LogFiles, key: str, other: str) -> BadInput:
    return BadInput(
        f"{files.name} has the key {key!r} beside {other!r} (capital letters do not count): rename one of them"
    )


def _by_keys(connection: Connection, files: LogFiles) -> dict[str, str]:
    """The columns of lines that the engine takes for one column `json`: many rare keys, or no objects at all.

    Raises:
        BadInput: no keys can be columns.
    """
    found = _seen(connection, files, rare_keys=True)
    if list(found) != ["json"]:
        return found
    # asked for two columns, the engine says of lines that they are no objects
    connection.execute(f"select count(json) from {files.reader({'json': 'JSON', 'more': 'JSON'})}")
    if found["json"] != "JSON":
        return found
    raise BadInput(f"{files.name} has objects without keys, or a key without a name: name each key")
