"""A predicate as the engine is asked it: what is stored as text and what is not are compared by their texts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from andon.adapters.duckdb.codes import logical_type, text_sql
from andon.base import predicate
from andon.telemetry.schema import LogicalType

if TYPE_CHECKING:
    from sqlglot.expressions import Expr


def condition(text: str, storages: Mapping[str, str]) -> str:
    """The SQL of a predicate over stored columns.

    The engine would read the text as a number to compare it with one, and stop at a label such as `pending`.

    Raises:
        BadInput: it is not a predicate, or names a column that is not there.
    """
    parsed = predicate.parse(text, storages)
    kinds = {logical_type(storages[name]) for name in parsed.columns}
    if LogicalType.TEXT not in kinds or len(kinds) == 1:
        return parsed.sql
    tree = predicate.parse_tree(text, storages)
    for node in list(tree.walk()):
        if type(node).__name__ in {"EQ", "NEQ"}:
            _compare_texts(node, storages)
    return tree.sql(dialect="duckdb", identify=True, comments=False)


def _compare_texts(node: "Expr", storages: Mapping[str, str]) -> None:
    import sqlglot  # noqa: PLC0415  # heavy, and loaded by who parsed the predicate

    sides = (node.this, node.expression)
    if any(type(side).__name__ != "Column" for side in sides):
        return
    names = [side.name for side in sides]
    if [logical_type(storages[name]) for name in names].count(LogicalType.TEXT) == 1:
        for side, name in zip(sides, names, strict=True):
            side.replace(sqlglot.parse_one(text_sql(name, storages[name]), dialect="duckdb"))
