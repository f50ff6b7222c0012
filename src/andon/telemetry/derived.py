"""Codings that follow from another one of the same column: what is counted by the one needs no code of the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from andon.telemetry.plan import CategoryCoding, Coding, NumberCoding, PredicateCoding
from andon.telemetry.summary import Int64
from andon.telemetry.value import unseen_cell


@dataclass(frozen=True, slots=True)
class Derived:
    """The code of a coding for each code of `base`."""

    base: str
    codes: Int64


def derived(codings: Mapping[str, Coding | PredicateCoding]) -> dict[str, Derived]:
    """Those of some codings that follow from another of them, which does not follow from a third."""
    found: dict[str, Derived] = {}
    by_column: dict[str, list[str]] = {}
    for name, coding in codings.items():
        if isinstance(coding, CategoryCoding | NumberCoding):
            by_column.setdefault(coding.column, []).append(name)
    for names in by_column.values():
        for name in sorted(names, key=lambda each: codings[each].size):
            for base in names:
                codes = None if base == name or base in found else _codes(codings[name], codings[base])
                if codes is not None:
                    found[name] = Derived(base, codes)
                    break
    return found


def _codes(coding: Coding | PredicateCoding, base: Coding | PredicateCoding) -> Int64 | None:
    if isinstance(coding, NumberCoding) and isinstance(base, NumberCoding):
        return _number_codes(coding, base)
    if isinstance(coding, CategoryCoding) and isinstance(base, CategoryCoding):
        return _category_codes(coding, base)
    return None


def _number_codes(coding: NumberCoding, base: NumberCoding) -> Int64 | None:
    if coding.minus != base.minus or not set(coding.edges) <= set(base.edges):
        return None
    bins = np.searchsorted(coding.edges, (-np.inf, *base.edges), side="right")
    return np.array([*bins, coding.null, coding.nan, coding.infinite], dtype=np.int64)


def _category_codes(coding: CategoryCoding, base: CategoryCoding) -> Int64 | None:
    if not set(coding.values) <= set(base.values) or base.unseen_cells % coding.unseen_cells:
        return None
    code_of = {value: code for code, value in enumerate(coding.values)}
    known = [
        code_of[value] if value in code_of else coding.unseen + unseen_cell(value, coding.unseen_cells)
        for value in base.values
    ]
    unseen = coding.unseen + np.arange(base.unseen_cells) % coding.unseen_cells
    return np.array([*known, coding.null, *unseen], dtype=np.int64)
