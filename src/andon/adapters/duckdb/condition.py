"""A predicate as the engine is asked it: what is stored as text and what is not are compared by their texts."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from andon.adapters.duckdb.codes import logical_type, text_sql
from andon.base import predicate
from andon.telemetry.schema import LogicalType

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

_TEXT = "VARCHAR"
_BY_VALUE = frozenset({LogicalType.NUMBER, LogicalType.BOOLEAN})
"""Kinds that the engine compares with one another."""


def condition(text: str, storages: Mapping[str, str]) -> str:
    """The SQL of a predicate over stored columns.

    The engine would read the text as a number to compare it with one, and stop at a label such as `pending`.

    Raises:
        BadInput: it is not a predicate, or names a column that is not there.
    """
    parsed = predicate.parse(text, storages)
    if all(logical_type(storages[name]) is LogicalType.NUMBER for name in parsed.columns) and "'" not in text:
        return parsed.sql
    tree = predicate.parse_tree(text, storages)
    for node in list(tree.walk()):
        if type(node).__name__ in {"EQ", "NEQ"}:
            _compare(node.this, node.expression, storages)
        elif type(node).__name__ == "In":
            _find(node, storages)
    return tree.sql(dialect="duckdb", identify=True, comments=False)


def _compare(left: "Expr", right: "Expr", storages: Mapping[str, str]) -> None:
    sides = (left, right)
    columns = [side for side in sides if type(side).__name__ == "Column"]
    if len(columns) == len(sides):
        if _differ(*(storages[side.name] for side in columns)):
            for side in columns:
                _as_text(side, storages)
    elif columns and any(_is_unlike(side, storages[columns[0].name]) for side in sides):
        _as_text(columns[0], storages)


def _find(node: "Expr", storages: Mapping[str, str]) -> None:
    column = node.this
    is_column = type(column).__name__ == "Column"
    if is_column and any(_is_unlike(each, storages[column.name]) for each in node.expressions):
        _as_text(column, storages)


def _differ(one: str, other: str) -> bool:
    """Whether two columns are stored so that only their texts can be compared."""
    kinds = {logical_type(one), logical_type(other)}
    if one == other or kinds <= _BY_VALUE:
        return False
    return len(kinds) > 1 or not kinds <= {LogicalType.TIME}


def _is_unlike(node: "Expr", storage: str) -> bool:
    """Whether a literal is a text that the engine would have to read as a value of a column, which may fail."""
    if type(node).__name__ != "Literal" or not node.is_string or storage == _TEXT:
        return False
    return not _is_time(str(node.this)) if logical_type(storage) is LogicalType.TIME else True


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _as_text(column: "Expr", storages: Mapping[str, str]) -> None:
    import sqlglot  # noqa: PLC0415  # heavy, and loaded by who parsed the predicate

    column.replace(sqlglot.parse_one(text_sql(column.name, storages[column.name]), dialect="duckdb"))
