"""What the known-good model would have answered: boosted trees fitted on decisions of the reference.

Two models that differ for no good reason differ in both directions and everywhere; a biased one differs in one, and
somewhere. So the answers that differ from the surrogate's tell a biased retrain from an equal one, whatever the inputs
did meanwhile.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from andon.detect.foliage import Foliage
from andon.telemetry.plan import CategoryCoding, Codes, Coding, NumberCoding

ROWS_MAX = 50_000
"""Rows of the reference that it is fitted on, at most."""
ROWS_MIN = 1_000
"""With fewer rows nothing useful is learned."""
FOLDS = 3
"""Each row is judged by a model that was fitted without the rows of its fold (cross-fitting), the reference's too."""
KAPPA_MIN = 0.6
"""Cohen's kappa that a surrogate must reach on rows it has not seen: "substantial" (Landis & Koch 1977)."""
EXPLAINED_MIN = 0.5
"""Share of the score's variance, on rows that the fit had not seen, that a surrogate must explain."""
CLASSES_MAX = 10
CLASS_ROWS_MIN = 10
INPUTS_MAX = 200
CATEGORIES_MAX = 200
"""A category with more values is taken in the order of their codes."""

TREES, LEAVES, RATE = 60, 15, 0.2
"""Fewer and faster trees than the library's default: as good on 20 bins a feature, and four times as fast."""
FAR = 0.1
"""A score is far from the expected one beyond this share of the known-good model's own residuals, on either side."""

CHECKED_ROWS = 2_000
"""Rows by which the tables made of the trees must answer as the trees do, else the trees answer themselves."""

EFFECT_MIN = 0.2
"""Of an answer that is a number, a shift below so many of its standard deviations is negligible (Cohen's d, 1988)."""

Float = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class _Trees(Protocol):
    def fit(self, rows: Float, given: Float | Int64) -> "_Trees": ...

    def predict(self, rows: Float) -> Float | Int64: ...


def _one_thread() -> AbstractContextManager[object]:
    """Trees on one thread: theirs wait for each other in a busy loop, and a crowded machine would stand still."""
    import sklearn.ensemble  # noqa: F401, PLC0415  # first: only libraries that are loaded can be limited
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  # comes with scikit-learn, loaded when needed

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


@dataclass(frozen=True)
class Dealt:
    """Rows by fold: which rows each has, and their features."""

    count: int
    rows: tuple[Int64, ...]
    features: tuple[list[Codes], ...]

    @classmethod
    def of(cls, features: Sequence[Codes]) -> "Dealt":
        folds = _folds(features)
        rows = tuple(np.flatnonzero(folds == fold) for fold in range(FOLDS))
        return cls(len(folds), rows, tuple([each.take(mine) for each in features] for mine in rows))


@dataclass(frozen=True)
class Imitation:
    """One tree ensemble per fold, fitted without the rows of that fold.

    `classes` are those that the trees answer with; None where they give a number.
    """

    codings: tuple[Coding, ...]
    trees: tuple[_Trees, ...]
    classes: tuple[int, ...] | None
    foliage: tuple[tuple[Foliage, ...] | None, ...]

    def expected(self, dealt: "Dealt") -> Float:
        """What each row should have got, by the ensemble that was fitted without its like."""
        said = np.zeros(dealt.count)
        for fold, mine in enumerate(dealt.rows):
            if len(mine):
                said[mine] = self._said(fold, dealt.features[fold])
        return said

    def _said(self, fold: int, features: Sequence[Codes]) -> Float | Int64:
        foliage = self.foliage[fold]
        if foliage is None:
            return self.trees[fold].predict(_table(self.codings, features))
        return _answered(foliage, self.classes, features)

    @classmethod
    def fitted(
        cls, make: Callable[..., _Trees], codings: tuple[Coding, ...], features: Sequence[Codes], given: Float | Int64
    ) -> "Imitation":
        """Trees of every fold, on features and what they should give."""
        folds, table = _folds(features), _table(codings, features)
        few = [isinstance(coding, CategoryCoding) and len(coding.values) <= CATEGORIES_MAX for coding in codings]
        shape = {"max_iter": TREES, "max_leaf_nodes": LEAVES, "learning_rate": RATE, "random_state": 0}
        trees = [make(categorical_features=np.array(few), **shape) for _ in range(FOLDS)]
        fitted = tuple(t.fit(_told(table[folds != n]), given[folds != n]) for n, t in enumerate(trees))
        classes = tuple(np.unique(given).tolist()) if given.dtype == np.int64 else None
        first = [each[:CHECKED_ROWS] for each in features]
        foliage = tuple(_foliage(each, codings, classes, first) for each in fitted)
        return cls(codings, fitted, classes, foliage)


@dataclass(frozen=True)
class Surrogate:
    """An extractor of how a row's answer differs from that of the known-good model.

    Its code is `changed + (1 + classes**2) * far`. `changed` is 0 for an expected or unusable class, else
    `1 + expected * classes + given`. `far` is 1 for a score far above the expected one, 2 for one far below, else 0.
    Where the answer is a number, it is what `far` is about, and nothing is ever `changed`.

    Attributes:
        inputs: the codings of the features, of the answer, and of the score if there is one.
        classes: number of classes that an answer has; 0 where it is a number.
        digest: of the rows it was fitted on.
        answers: gives the expected class; None where the answer is a number.
        scores: gives the expected score, as a place on the scale of its coding's bins; None without a usable score.
        near: residuals of the score within these bounds are near.
    """

    inputs: tuple[str, ...]
    classes: int
    digest: str
    answers: Imitation | None
    scores: Imitation | None
    near: tuple[float, float]

    @property
    def size(self) -> int:
        return (1 + self.classes**2) * 3

    def codes(self, inputs: Sequence[Codes]) -> Codes:
        """One code per row."""
        if not len(inputs[0]):
            return np.zeros(0, dtype=np.int64)
        imitation = self.answers or self.scores
        features = inputs[: len(imitation.codings) if imitation is not None else 0]
        answers = inputs[len(features) :]
        dealt = Dealt.of(features)
        with _one_thread():
            return self._changed(dealt, answers[0]) + (1 + self.classes**2) * self._far(dealt, answers[-1])

    def parts(self, codes: Int64) -> tuple[Int64, Int64, Int64]:
        """Of codes: the expected class (-1 where it was given), the given class (-1 likewise) and `far`."""
        far, changed = np.divmod(codes, 1 + self.classes**2)
        expected, given = np.divmod(changed - 1, max(self.classes, 1))
        return np.where(changed > 0, expected, -1), np.where(changed > 0, given, -1), far

    def _changed(self, dealt: "Dealt", given: Codes) -> Int64:
        if self.answers is None:
            return np.zeros(len(given), dtype=np.int64)
        expected = self.answers.expected(dealt).astype(np.int64)
        return np.where((given < self.classes) & (given != expected), 1 + expected * self.classes + given, 0)

    def _far(self, dealt: "Dealt", score: Codes) -> Int64:
        if self.scores is None:
            return np.zeros(len(score), dtype=np.int64)
        residual = _bins(score) - self.scores.expected(dealt)
        return np.where(residual > self.near[1], 1, np.where(residual < self.near[0], 2, 0))


def fit(
    codings: Mapping[str, Coding],
    answer: tuple[str, CategoryCoding | NumberCoding],
    score: tuple[str, NumberCoding] | None,
    rows: Mapping[str, Codes],
) -> Surrogate | None:
    """A surrogate from codes of reference rows; None when they cannot tell what the model does.

    Args:
        codings: of the features, by name.
        answer: name and coding of the model's answer.
        score: name and coding of its score, if it has one; unused where the answer is a number itself.
        rows: the codes of each.
    """
    known = {name: coding for name, coding in codings.items() if isinstance(coding, CategoryCoding | NumberCoding)}
    known = dict(list(known.items())[:INPUTS_MAX])
    classes = len(answer[1].values) if isinstance(answer[1], CategoryCoding) else 0
    given = [answer[0], *([score[0]] if score is not None and classes else [])]
    usable = np.asarray(rows[answer[0]]) < (classes or answer[1].null)
    if score is not None and classes:
        usable &= np.asarray(rows[score[0]]) < score[1].bins
    if usable.sum() < ROWS_MIN or not known:
        return None
    features, said = ([np.asarray(rows[name])[usable] for name in names] for names in (known, given))
    if classes and not _is_varied(said[0].astype(np.int64), _folds(features)):
        return None
    inputs = (*known, *given)
    about = inputs, classes, _digest(inputs, [np.asarray(rows[name]) for name in inputs])
    with _one_thread():
        return _fitted(tuple(known.values()), features, said, about)


def _fitted(
    codings: tuple[Coding, ...],
    features: Sequence[Codes],
    said: Sequence[Codes],
    about: tuple[tuple[str, ...], int, str],
) -> Surrogate | None:
    from sklearn import ensemble  # noqa: PLC0415  # a second to import, needed once

    answers, dealt = None, Dealt.of(features)
    if about[1]:
        given = said[0].astype(np.int64)
        answers = Imitation.fitted(ensemble.HistGradientBoostingClassifier, codings, features, given)
        if _kappa(answers.expected(dealt).astype(np.int64), given) < KAPPA_MIN:
            return None
        if len(said) == 1:
            return Surrogate(*about, answers, None, (0.0, 0.0))
    scored = _bins(said[-1])
    scores = Imitation.fitted(ensemble.HistGradientBoostingRegressor, codings, features, scored)
    residual = scored - scores.expected(dealt)
    if residual.var() > (1 - EXPLAINED_MIN) * scored.var():
        return None if answers is None else Surrogate(*about, answers, None, (0.0, 0.0))
    low, high = np.quantile(residual, (FAR, 1 - FAR))
    least = 0.0 if answers is not None else EFFECT_MIN * float(scored.std())
    return Surrogate(*about, answers, scores, (min(float(low), -least), max(float(high), least)))


def _foliage(
    trees: _Trees, codings: Sequence[Coding], classes: tuple[int, ...] | None, rows: Sequence[Codes]
) -> tuple[Foliage, ...] | None:
    """The trees as tables; None where these do not answer some rows exactly as the trees do."""
    made = Foliage.of(trees, [coding.size for coding in codings], [_known(coding) for coding in codings])
    if made is None:
        return None
    same = np.array_equal(_answered(made, classes, rows), trees.predict(_table(codings, rows)))
    return made if same else None


def _answered(foliage: Sequence[Foliage], classes: tuple[int, ...] | None, rows: Sequence[Codes]) -> Float | Int64:
    sums = [each.sums(rows) for each in foliage]
    if classes is None:
        return sums[0]
    place = np.argmax(sums, axis=0) if len(sums) > 1 else (sums[0] > 0).astype(np.int64)
    answer: Int64 = np.take(np.array(classes, dtype=np.int64), place)
    return answer


def _is_varied(given: Int64, folds: Int64) -> bool:
    """Whether there are a few classes, and rows of each outside every fold."""
    classes, counts = np.unique(given, return_counts=True)
    few = 1 < len(classes) <= CLASSES_MAX and int(counts.min()) >= CLASS_ROWS_MIN
    return few and all(len(np.unique(given[folds != fold])) == len(classes) for fold in range(FOLDS))


def _bins(codes: Codes) -> Float:
    return codes.astype(np.float64)


def _folds(codes: Sequence[Codes]) -> Int64:
    """The fold of each row, by what its features say: rows that look alike share one, so none is judged by itself."""
    mixed = np.zeros(len(codes[0]), dtype=np.uint64)
    for each in codes:
        mixed = (mixed ^ each.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth 6.4)
        mixed ^= mixed >> np.uint64(29)
    return (mixed % np.uint64(FOLDS)).astype(np.int64)


def _table(codings: Sequence[Coding], codes: Sequence[Codes]) -> Float:
    """Codes as numbers, `(rows, features)`; what no known-good row has is missing."""
    return np.column_stack([_column(coding, each) for coding, each in zip(codings, codes, strict=True)])


def _told(table: Float) -> Float:
    """The rows of a table, what no row has a value of being 0 throughout: the trees cannot be fitted on nothing."""
    table[:, np.isnan(table).all(axis=0)] = 0.0
    return table


def _column(coding: Coding, codes: Codes) -> Float:
    return np.where(codes < _known(coding), codes, np.nan).astype(np.float64)


def _known(coding: Coding) -> int:
    """The first code that no usable value has."""
    return coding.bins if isinstance(coding, NumberCoding) else coding.null


def _kappa(said: Int64, true: Int64) -> float:
    agreed = float(np.mean(said == true))
    chance = float(sum(np.mean(said == each) * np.mean(true == each) for each in np.unique(true)))
    return (agreed - chance) / max(1 - chance, 1e-9)


def _digest(names: Sequence[str], rows: Sequence[Codes]) -> str:
    digest = hashlib.sha256(json.dumps(list(names)).encode())
    for each in rows:
        digest.update(np.ascontiguousarray(each, dtype=np.int64).tobytes())
    return digest.hexdigest()
