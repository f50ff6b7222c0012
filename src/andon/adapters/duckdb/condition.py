"""A predicate as the engine is asked it: what is stored in another kind than it is compared with is turned into it.

A column is compared with a text by its text, and with a number by its number, as the codes of its rows are counted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from andon.adapters.duckdb.codes import logical_type, number_sql, text_sql
from andon.base import predicate
from andon.telemetry.schema import LogicalType

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

_TEXT = "VARCHAR"
_BY_VALUE = frozenset({LogicalType.NUMBER, LogicalType.BOOLEAN})
"""Kinds that the engine compares with one another."""
_COMPARISONS = frozenset({"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "Between"})
_ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div", "Neg"})


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
        if _is_of_numbers(node):
            _as_numbers(node, storages)
        elif type(node).__name__ in {"EQ", "NEQ"}:
            _compare(node.this, node.expression, storages)
        elif type(node).__name__ == "In":
            _find(node, storages)
    return tree.sql(dialect="duckdb", identify=True, comments=False)


def _is_of_numbers(node: "Expr") -> bool:
    """Whether a condition asks of numbers, whatever its columns are stored as."""
    kind = type(node).__name__
    return kind == "IsNan" or (kind in _COMPARISONS and any(_is_number(side) for side in node.iter_expressions()))


def _is_number(node: "Expr") -> bool:
    kind = type(node).__name__
    if kind == "Paren":
        return _is_number(node.this)
    if kind == "Cast":
        return str(node.args["to"].this.name) == "DOUBLE"
    return kind in _ARITHMETIC or (kind == "Literal" and not node.is_string)


def _as_numbers(node: "Expr", storages: Mapping[str, str]) -> None:
    """Have columns stored as something else give the numbers that were counted; the engine would not compare them."""
    for column in [each for each in node.walk() if type(each).__name__ == "Column"]:
        storage = storages[column.name]
        if logical_type(storage) is not LogicalType.NUMBER:
            _replace(column, number_sql(column.name, storage))


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
    _replace(column, text_sql(column.name, storages[column.name]))


def _replace(column: "Expr", sql: str) -> None:
    import sqlglot  # noqa: PLC0415  # heavy, and loaded by who parsed the predicate

    column.replace(sqlglot.parse_one(sql, dialect="duckdb"))
