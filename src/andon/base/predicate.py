"""The safe subset of SQL that says which rows are meant: own columns, literals, comparisons and logic, nothing else.

A predicate is text, so that a person can paste it into a query. What comes from outside goes through `parse` before an
engine sees it; what Andon itself says is built by `equals`, `within` and the others, which quote what is hostile.
"""

import logging
import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from andon.base.errors import BadInput
from andon.base.interval import Interval
from andon.base.nearest import nearest

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

Value = str | int | float | bool | datetime | None

LENGTH_MAX = 100_000
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_PLAIN_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_EXACT_DIGITS = 15  # a decimal of more digits may reach a double through a rounded quotient
# What DuckDB, PostgreSQL or Spark reserve, and words that begin an expression or a statement.
_RESERVED = frozenset(
    """
    all alter analyse analyze and anti any array as asc asof asymmetric at authorization between bigint binary bit
    boolean both by call case cast char character check coalesce collate collation column columns concurrently
    constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp
    current_user date datetime dec decimal default deferrable desc describe distinct div do double drop else end
    escape except execute exists explain extract false fetch filter float for force foreign freeze from full
    function generated glob grant group grouping grouping_id having if ilike in initially inner inout insert install
    int integer intersect interval into is isnull join json lambda lateral leading left like limit list localtime
    localtimestamp map minus mod national natural nchar none not notnull null nullif numeric offset on only or order
    out outer overlaps overlay pivot pivot_longer pivot_wider placing position positional precision prepare primary
    prior qualify real references regexp rename reset returning revoke right rlike rollback row rows select semi
    session_user setof show similar smallint some struct substring summarize symmetric sysdate table tablesample
    then time timestamp timestamptz tinyint to trailing treat trim true try_cast tuple union unique unknown unnest
    unpack unpivot user using vacuum values varchar variadic verbose when where window with within xmlattributes
    xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905  # a list of its own lines would fill two screens
)


@dataclass(frozen=True, slots=True)
class Predicate:
    """A predicate that was parsed: SQL with every column quoted, and the columns it reads, each once."""

    sql: str
    columns: tuple[str, ...]


def parse(text: str, columns: Collection[str]) -> Predicate:
    """The predicate that a text states over these columns.

    Raises:
        BadInput: it is not a predicate of the safe subset, or names a column that does not exist.
    """
    tree = parse_tree(text, columns)
    names = dict.fromkeys(column.name for column in _columns_in(tree))
    try:
        return Predicate(tree.sql(dialect="duckdb", identify=True, comments=False), tuple(names))
    except RecursionError:
        raise _too_deep() from None


def parse_tree(text: str, columns: Collection[str]) -> "Expr":
    """The syntax tree of a predicate, checked; its columns carry the names of the log."""
    import sqlglot  # noqa: PLC0415  # heavy: only whoever reads a predicate pays for it
    from sqlglot import errors, expressions  # noqa: PLC0415

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # else it prints a line of its own beside our sentence
    if len(text) > LENGTH_MAX:
        raise BadInput(f"a predicate of {len(text):,} characters is too long: keep it under {LENGTH_MAX:,}")
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb", into=expressions.Condition)
        for node in tree.walk():
            _check(node, text)
    except errors.SqlglotError:
        raise BadInput(f"the predicate {_short(text)} is not one SQL condition: {_MEND}") from None
    except RecursionError:
        raise _too_deep() from None
    known = _Names(columns)
    for column in _columns_in(tree):
        column.this.set("this", known.find(column.name))
    return tree


def equals(column: str, value: Value) -> str:
    """Rows whose column has this value; None means null, a NaN means NaN."""
    if value is None:
        return is_null(column)
    if isinstance(value, float) and math.isnan(value):
        return f"isnan({identifier(column)})"
    return f"{identifier(column)} = {literal(value)}"


def is_null(column: str) -> str:
    """Rows whose column has no value."""
    return f"{identifier(column)} is null"


def at_least(column: str, number: float) -> str:
    """Rows whose column has this number or more."""
    return f"{identifier(column)} >= {literal(number)}"


def below(column: str, number: float) -> str:
    """Rows whose column has less than this number."""
    return f"{identifier(column)} < {literal(number)}"


def difference(column: str, other: str) -> str:
    """One column less another, as SQL."""
    return f"{identifier(column)} - {identifier(other)}"


def difference_below(column: str, other: str, number: float) -> str:
    """Rows whose column less the other is less than this number."""
    return f"{difference(column, other)} < {literal(number)}"


def difference_at_least(column: str, other: str, number: float) -> str:
    """Rows whose column less the other is this number or more."""
    return f"{difference(column, other)} >= {literal(number)}"


def differs(column: str, other: str) -> str:
    """The predicate that two columns hold different values (false where one is null)."""
    return f"{identifier(column)} <> {identifier(other)}"


def before(time_column: str, end: datetime) -> str:
    """Rows whose time comes before a moment."""
    return f"{identifier(time_column)} < {literal(end)}"


def known_where(predicate: str, condition: str) -> str:
    """The predicate where a condition holds; elsewhere it is unknown, as it is of a null."""
    return f"(({predicate}) and ({condition})) or (null and not ({condition}))"


def within(time_column: str, interval: Interval) -> str:
    """Rows whose time falls into a half-open interval."""
    name = identifier(time_column)
    return f"{name} >= {literal(interval.start)} and {name} < {literal(interval.end)}"


def one_of(column: str, values: Iterable[Value]) -> str:
    """Rows whose column has one of these values (None among them means null)."""
    given = list(dict.fromkeys(values))
    plain = [value for value in given if not (value is None or (isinstance(value, float) and math.isnan(value)))]
    parts = [equals(column, value) for value in given if value not in plain]
    if len(plain) == 1:
        parts.insert(0, equals(column, plain[0]))
    elif plain:
        parts.insert(0, f"{identifier(column)} in ({', '.join(literal(value) for value in plain)})")
    return any_of(*parts)


def all_of(*predicates: str) -> str:
    """Rows that match every one of these; all rows for none."""
    return _joined("and", predicates, neutral="true", loose=re.compile(r"\bor\b", re.IGNORECASE))


def any_of(*predicates: str) -> str:
    """Rows that match at least one of these; no row for none."""
    return _joined("or", predicates, neutral="false", loose=re.compile(r"\band\b", re.IGNORECASE))


def identifier(name: str) -> str:
    """A column's name as SQL: bare where that is safe in every engine, else in double quotes."""
    if _PLAIN_NAME.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | bool | datetime) -> str:  # noqa: FBT001
    """A value as SQL; an aware time becomes its text in UTC and says so.

    As text it takes the type of the column: an engine leaves the zone out for a column without one, which is in UTC,
    and goes by it for a column with one, whatever the zone of the session.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"'{(value if value.tzinfo is None else value.astimezone(UTC)).isoformat(sep=' ')}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return _number(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return f"cast('{value}' as double)"
    if float(value).is_integer() and abs(value) < 10**_EXACT_DIGITS:
        return str(int(value))
    text = repr(value)
    digits = len(text.lstrip("-").replace(".", "").lstrip("0"))
    is_plain = _PLAIN_DECIMAL.fullmatch(text) is not None and digits <= _EXACT_DIGITS
    return text if is_plain or "e" in text else f"{text}e0"


def _joined(word: str, predicates: Iterable[str], neutral: str, loose: re.Pattern[str]) -> str:
    parts = list(dict.fromkeys(part for part in predicates if part != neutral))
    if not parts:
        return neutral
    if len(parts) == 1:
        return parts[0]
    return f" {word} ".join(f"({part})" if loose.search(part) else part for part in parts)


_MEND = "use own columns, literals, comparisons, and, or, not, in, between, is null, like, isnan and + - * /"
_PLAIN_NODES = frozenset(
    "And Or Not Paren EQ NEQ LT LTE GT GTE Identifier Boolean Null Add Sub Mul Div Neg Like IsNan".split()  # noqa: SIM905
)
_CAST_TYPES = frozenset({"TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ", "DATE", "DOUBLE"})


def _check(node: "Expr", text: str) -> None:
    kind = type(node).__name__
    if kind in _PLAIN_NODES or (kind in _GUARDED and _GUARDED[kind](node)):
        return
    raise BadInput(f"the predicate {_short(text)} uses {_described(node)}, which is not allowed: {_MEND}")


def _is_literal(node: "Expr") -> bool:
    return type(node).__name__ == "Literal"


def _literal_allowed(node: "Expr") -> bool:
    return set(_filled(node)) <= {"this", "is_string"}


def _unqualified(node: "Expr") -> bool:
    return set(_filled(node)) == {"this"}


def _in_list(node: "Expr") -> bool:
    return set(_filled(node)) == {"this", "expressions"}


def _between(node: "Expr") -> bool:
    return set(_filled(node)) == {"this", "low", "high"}


def _is_absent(node: "Expr") -> bool:
    return type(node.expression).__name__ == "Null"


def _cast_of_text(node: "Expr") -> bool:
    source, target = node.this, node.args["to"]
    return (
        set(_filled(node)) == {"this", "to"}
        and _is_literal(source)
        and bool(source.is_string)
        and str(target.this.name) in _CAST_TYPES
        and not target.expressions
    )


def _type_of_cast(node: "Expr") -> bool:
    return type(node.parent).__name__ == "Cast"


_GUARDED = {
    "Column": _unqualified,
    "Literal": _literal_allowed,
    "In": _in_list,
    "Between": _between,
    "Is": _is_absent,
    "Cast": _cast_of_text,
    "DataType": _type_of_cast,
}


def _filled(node: "Expr") -> Iterator[str]:
    return (key for key, value in node.args.items() if value not in (None, [], False, ""))


def _columns_in(tree: "Expr") -> "Iterator[Expr]":
    return (node for node in tree.walk() if type(node).__name__ == "Column")


def _described(node: "Expr") -> str:
    try:
        return _short(node.sql(dialect="duckdb", comments=False))
    except RecursionError:
        return "an expression that is nested too deeply"


def _too_deep() -> BadInput:
    return BadInput("the predicate is nested too deeply: write fewer parentheses, or a list with `in (…)`")


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return f"`{one_line}`" if len(one_line) <= 80 else f"`{one_line[:77]}…`"  # noqa: PLR2004


class _Names:
    """Finds a column as SQL does: exactly, else whatever its case where that is no guess."""

    def __init__(self, columns: Collection[str]) -> None:
        self._exact = frozenset(columns)
        self._folded: dict[str, list[str]] = {}
        for name in columns:
            self._folded.setdefault(name.casefold(), []).append(name)

    def find(self, name: str) -> str:
        if name in self._exact:
            return name
        alike = self._folded.get(name.casefold(), [])
        if len(alike) == 1:
            return alike[0]
        raise BadInput(f"the predicate names {_short(name)}, which is not a column of the log{self._nearest(name)}")

    def _nearest(self, name: str) -> str:
        near = nearest(name, sorted(self._exact))
        return f": did you mean {_short(near)}?" if near else f": it has {_short(', '.join(sorted(self._exact)))}"
