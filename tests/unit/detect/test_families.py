"""Families of marks that are too many to be judged together."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from andon.detect.mark import MarkSeries, Side
from counted import drawn, hits, series

DAY = 288
"""Evaluations of five minutes."""


def _family(*, slices: bool = False) -> MarkSeries:
    """Two hundred marks over a week, of which one jumps on the last day."""
    rng = np.random.default_rng(3)
    share = np.full((200, 7 * DAY), 0.1)
    share[170, 6 * DAY :] = 0.4
    log, reference, rest = drawn(rng, share, 60), drawn(rng, np.full((200, 2 * DAY), 0.1), 60), None
    if slices:
        rest = drawn(rng, np.full((200, 7 * DAY), 0.1), 600)
    return series(log, reference, rest, None if rest is None else drawn(rng, np.full((200, 2 * DAY), 0.1), 600))


@pytest.mark.parametrize("slices", [False, True])
@pytest.mark.parametrize("most", [1, 33, 200, 1_000])
def test_the_parts_of_a_family_are_its_marks_in_their_order(most: int, slices: bool) -> None:  # noqa: FBT001
    family = _family(slices=slices)
    family = replace(family, within=((family.log, family.reference),))
    parts = list(family.parts(most))
    assert max(len(part.marks) for part in parts) <= most
    assert tuple(mark for part in parts for mark in part.marks) == family.marks

    def joined(sides: list[Side]) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate([side.count for side in sides]), np.concatenate([side.total for side in sides])

    for whole, cut in (
        (family.log, [part.log for part in parts]),
        (family.reference, [part.reference for part in parts]),
        (family.within[0][1], [part.within[0][1] for part in parts]),
        *([(family.rest, [part.rest for part in parts])] if family.rest is not None else []),
    ):
        np.testing.assert_array_equal(joined(cut), (whole.count, whole.total))


def test_what_jumps_in_a_large_family_jumps_in_its_part() -> None:
    family = _family()
    for length in (timedelta(minutes=5), timedelta(hours=1)):  # judged in parts, and all together
        found = hits(family, length=length)
        clear = [hit for hit in found if abs(hit.z) > 7]
        assert {hit.stream.mark for hit in clear} == {family.marks[170]}
        assert 6 * DAY <= min(hit.t for hit in clear) <= 6 * DAY + 4
