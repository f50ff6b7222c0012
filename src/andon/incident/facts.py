"""The facts behind a priority as a document: whole numbers, yes or no, or not known."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Final

from andon.base.errors import BadInput
from andon.incident.priority import Facts
from andon.inventory.model import RiskClass

NAMES: Final = tuple(each.name for each in fields(Facts))
COUNTS: Final = ("decisions", "wrong", "people")
NOTHING_KNOWN: Final = Facts(0)
_COUNT_MAX: Final = 2**53


def to_fields(facts: Facts) -> dict[str, Any]:
    """The facts that are known, as the journal takes them: no floats; a loss is rounded up to whole dollars."""
    found = {name: value for name, value in asdict(facts).items() if value is not None}
    if facts.loss_usd is not None:
        found["loss_usd"] = math.ceil(facts.loss_usd)
    return {**found, "risk": str(facts.risk)}


def from_fields(known: Mapping[str, Any]) -> Facts:
    """Facts from a document; what it does not name is not known.

    Raises:
        BadInput: a name or a value is none.
    """
    return learned(NOTHING_KNOWN, known)


def learned(facts: Facts, news: Mapping[str, Any]) -> Facts:
    """Facts with what is newly known; null makes a fact unknown again.

    Raises:
        BadInput: a name or a value is none.
    """
    unknown = sorted(set(news) - set(NAMES))
    if unknown:
        raise BadInput(f"{unknown[0]} is no fact of a priority: name one of {', '.join(NAMES)}")
    return replace(facts, **{name: _value(name, value) for name, value in news.items()})


def joined(facts: Facts, more: Facts) -> Facts:
    """Facts with what another source knows besides; of two counts of decisions the higher."""
    known = {
        name: value for name, value in asdict(more).items() if value is not None and value is not RiskClass.UNKNOWN
    }
    return replace(facts, **{**known, "decisions": max(facts.decisions, more.decisions)})


def _value(name: str, value: Any) -> Any:
    if name == "risk":
        return _risk(value)
    if value is None:
        return 0 if name == "decisions" else None
    if name in COUNTS or name == "loss_usd":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _COUNT_MAX:
            raise BadInput(f"the fact {name} is no number from 0: write it like {name}=1200")
        return float(value) if name == "loss_usd" else int(value)
    if not isinstance(value, bool):
        raise BadInput(f"the fact {name} is neither true nor false: write {name}=true, {name}=false or {name}=unknown")
    return value


def _risk(value: Any) -> RiskClass:
    try:
        return RiskClass(value or RiskClass.UNKNOWN)
    except ValueError:
        raise BadInput(f"the risk {value} is no class: write {', '.join(RiskClass)}") from None
