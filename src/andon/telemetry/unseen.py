"""Which values of the counted rows the reference does not have, when each was first met, and how it is called."""

from collections.abc import Mapping

import numpy as np

from andon.telemetry.derived import Derived
from andon.telemetry.plan import CategoryCoding, Codes, Coding, PredicateCoding
from andon.telemetry.summary import Int64

_NEVER = int(np.iinfo(np.int64).max)

Names = dict[tuple[str, int], tuple[int, str]]
"""For coding and code of an unseen cell, the bucket in which it was first met and the smallest value met there then."""


class Unseen:
    """Grows with the counted batches.

    Args:
        codings: all that the plan codes.
        derived: those of which the codes follow from another one's.
    """

    def __init__(self, codings: Mapping[str, Coding | PredicateCoding], derived: Mapping[str, Derived]) -> None:
        self._codings = {name: coding for name, coding in codings.items() if isinstance(coding, CategoryCoding)}
        self._derived = {name: way for name, way in derived.items() if name in self._codings}
        self.counted = tuple(name for name in self._codings if name not in self._derived)
        """The codings of which `note` has to be told."""
        self._asked = {name: np.arange(self._codings[name].size) >= self._codings[name].unseen for name in self.counted}
        """The codes of which it matters when they were first met."""
        for name, way in self._derived.items():
            self._asked[way.base] |= way.codes >= self._codings[name].unseen
        self._first = {name: np.full(self._codings[name].size, _NEVER) for name in self.counted}

    def note(self, name: str, occurring: Int64, codes: Codes, bucket: Int64) -> None:
        """Note a batch: the codes that may occur in it, ascending, and the code and bucket of each row."""
        first, asked = self._first[name], occurring[self._asked[name][occurring]]
        sooner = asked[first[asked] > bucket.min()]
        if len(sooner):  # none, but for the first batches, where rows are in the order of time
            wanted = np.zeros(len(first), dtype=np.bool_)
            wanted[sooner] = True
            rows = np.flatnonzero(wanted.take(codes))
            np.minimum.at(first, codes.take(rows), bucket.take(rows))

    def buckets(self) -> dict[str, tuple[int, int]]:
        """For each counted coding with unseen values, the first and last bucket in which a cell of them was first met.

        The names of all its cells (see `Names`) are in the rows from the one to the end of the other.
        """
        found = {}
        for name, first in self._first.items():
            unseen = first[self._codings[name].unseen :]
            met = unseen[unseen != _NEVER]
            if len(met):
                found[name] = int(met.min()), int(met.max())
        return found

    def completed(self, names: Names) -> Names:
        """The names of the cells of all codings, from those of the counted ones; none where rows went away since."""
        found = dict(names)
        for name, way in self._derived.items():
            base, unseen = self._codings[way.base], self._codings[name].unseen
            for code in np.flatnonzero((way.codes >= unseen) & (self._first[way.base] != _NEVER)).tolist():
                known = code < len(base.values)
                met = (int(self._first[way.base][code]), base.values[code]) if known else names.get((way.base, code))
                if met is not None:
                    cell = name, int(way.codes[code])
                    found[cell] = min(met, found.get(cell, met))
        return found
