"""Trees as tables answer as the trees do, to the last bit; and what cannot be read is left to the trees."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from andon.detect.foliage import Foliage
from andon.detect.surrogate import Dealt, Imitation, _one_thread
from andon.telemetry.plan import CategoryCoding, NumberCoding

ROWS = 3_000
CODINGS = (
    NumberCoding("a", tuple(range(22))),
    CategoryCoding("c", tuple("abcdefgh")),
    NumberCoding("b", tuple(range(22))),
    CategoryCoding("d", tuple(map(str, range(100)))),
)


@pytest.mark.parametrize("answers", ["a number", "two classes", "three classes"])
def test_tables_answer_as_the_trees(answers: str) -> None:
    rng = np.random.default_rng(1)
    features = [rng.integers(0, coding.size, ROWS).astype(np.uint8) for coding in CODINGS]  # missing ones too
    a, c, b, d = (each.astype(np.float64) for each in features)
    score = a + 3 * (c % 3) - b / 2 + d % 7 + rng.normal(size=ROWS)
    make = HistGradientBoostingRegressor if answers == "a number" else HistGradientBoostingClassifier
    given = {
        "a number": score,
        "two classes": (score > 5).astype(np.int64),
        "three classes": np.digitize(score, [0.0, 8.0]).astype(np.int64) * 2,
    }[answers]
    with _one_thread():  # as a scan does: the trees of several threads wait for each other, and burn what others need
        made = Imitation.fitted(make, CODINGS, features, given)
        assert None not in made.foliage
        slow = replace(made, foliage=(None,) * len(made.foliage))
        others = [rng.integers(0, coding.size, 3 * ROWS).astype(np.uint8) for coding in CODINGS]
        assert np.array_equal(made.expected(Dealt.of(others)), slow.expected(Dealt.of(others)))


def test_what_is_no_such_ensemble_gives_no_tables() -> None:
    assert Foliage.of(object(), [3], [2]) is None


def test_trees_have_one_thread_also_where_they_are_loaded_only_now() -> None:
    program = (
        "from andon.detect.surrogate import _one_thread\n"
        "with _one_thread():\n"
        "    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads\n"
        "    print(_openmp_effective_n_threads())"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"OMP_NUM_THREADS": "4"}
    )
    assert done.stdout.strip() == "1"
