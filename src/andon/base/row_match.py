"""Whether one row matches a parsed predicate, by SQL's logic of true, false and unknown."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

Row = Mapping[str, object]
_Meaning = Callable[["Expr", Row], object]


def matches(tree: "Expr", row: Row) -> bool:
    """Whether the predicate (`predicate.parse_tree`) is true of the row; unknown is not."""
    return truth(tree, row) is True


def truth(tree: "Expr", row: Row) -> bool | None:
    """What the predicate says of the row; None where a null leaves it unknown."""
    value = _value(tree, row)
    return None if value is None else bool(value)


def _value(node: "Expr", row: Row) -> object:
    return _MEANINGS[type(node).__name__](node, row)


def _all(sides: list[object]) -> object:
    return False if False in sides else None if None in sides else True


def _any(sides: list[object]) -> object:
    return True if True in sides else None if None in sides else False


def _not(node: "Expr", row: Row) -> object:
    inner = _value(node.this, row)
    return None if inner is None else not inner


def _compare(compare: Callable[..., object], left: object, right: object) -> object:
    if left is None or right is None:
        return None
    return compare(_key(left, right), _key(right, left))


def _key(value: object, other: object) -> object:
    """A value as it orders against another: a text literal takes the other's type, NaN is the largest number."""
    if isinstance(value, str) and not isinstance(other, str):
        value = _cast(value, "TIMESTAMP") if isinstance(other, date) else _cast(value, "DOUBLE")
    if isinstance(value, date):
        return _naive(value)
    if isinstance(value, int | float):
        return (math.isnan(value), 0.0 if math.isnan(value) else value)
    return value


def _naive(value: date) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  # naive is UTC here
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


def _cast(text: str, to: str) -> object:
    if to != "DOUBLE":
        return _naive(datetime.fromisoformat(text))
    return {"true": 1.0, "false": 0.0}[text.lower()] if text.lower() in ("true", "false") else float(text)


def _literal_cast(node: "Expr", _: Row) -> object:
    return _cast(str(node.this.this), str(node.args["to"].this.name))


def _comparison(compare: Callable[..., object]) -> _Meaning:
    return lambda node, row: _compare(compare, _value(node.this, row), _value(node.expression, row))


def _arithmetic(operate: Callable[..., object]) -> _Meaning:
    def value(node: "Expr", row: Row) -> object:
        left, right = _value(node.this, row), _value(node.expression, row)
        return None if left is None or right is None else operate(left, right)

    return value


def _negative(node: "Expr", row: Row) -> object:
    value = _value(node.this, row)
    return -value if isinstance(value, int | float) else None


def _in(node: "Expr", row: Row) -> object:
    this = _value(node.this, row)
    return _any([_compare(operator.eq, this, _value(each, row)) for each in node.expressions])


def _between(node: "Expr", row: Row) -> object:
    this, low, high = (_value(node.args[key], row) for key in ("this", "low", "high"))
    return _all([_compare(operator.ge, this, low), _compare(operator.le, this, high)])


def _like(node: "Expr", row: Row) -> object:
    this, pattern = _value(node.this, row), _value(node.expression, row)
    if this is None or pattern is None:
        return None
    form = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in str(pattern))
    return re.fullmatch(form, str(this), re.DOTALL) is not None


def _is_nan(node: "Expr", row: Row) -> object:
    value = _value(node.this, row)
    return None if value is None else isinstance(value, float) and math.isnan(value)


def _literal(node: "Expr", _: Row) -> object:
    text = str(node.this)
    if node.is_string:
        return text
    return float(text) if any(sign in text for sign in ".eE") else int(text)


_MEANINGS: dict[str, _Meaning] = {
    "And": lambda node, row: _all([_value(node.this, row), _value(node.expression, row)]),
    "Or": lambda node, row: _any([_value(node.this, row), _value(node.expression, row)]),
    "Not": _not,
    "Paren": lambda node, row: _value(node.this, row),
    "Column": lambda node, row: row.get(node.name),
    "Literal": _literal,
    "Boolean": lambda node, _: bool(node.this),
    "Null": lambda _node, _row: None,
    "Cast": _literal_cast,
    "EQ": _comparison(operator.eq),
    "NEQ": _comparison(operator.ne),
    "LT": _comparison(operator.lt),
    "LTE": _comparison(operator.le),
    "GT": _comparison(operator.gt),
    "GTE": _comparison(operator.ge),
    "In": _in,
    "Between": _between,
    "Is": lambda node, row: _value(node.this, row) is None,
    "Like": _like,
    "IsNan": _is_nan,
    "Neg": _negative,
    "Add": _arithmetic(operator.add),
    "Sub": _arithmetic(operator.sub),
    "Mul": _arithmetic(operator.mul),
    "Div": _arithmetic(operator.truediv),
}
