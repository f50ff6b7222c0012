"""What recorded predictions say of a model's health, as counts by model and version: what Prometheus reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from andon.telemetry.summary import Int64

BUCKETS: Final = tuple(tenth / 10 for tenth in range(1, 11))
"""Upper bounds of the buckets of confidence."""
INVALID: Final = "invalid_output"
VIOLATION: Final = "policy_violation"
ANOMALOUS: Final = "anomalous_input"
"""The flags of a prediction that are counted."""
_SIDES: Final = frozenset({0, 1, "0", "1"})  # True and False are 1 and 0


WAITING_MAX: Final = 5_000
"""So many scores wait to be counted together: numpy takes as long for ten as for a thousand."""


@dataclass(slots=True)
class Vitals:
    """Counts of one version of a model.

    Attributes:
        predictions: recorded.
        invalid, violations, anomalous: of these, those with the flag of that name.
        scores, between_two: of predictions whose confidence is not counted yet: the score, and whether the answer is
            one of two.
        counted, counted_sum: of the others, the confidence by bucket, and its sum.
    """

    predictions: int = 0
    invalid: int = 0
    violations: int = 0
    anomalous: int = 0
    counted: Int64 = field(default_factory=lambda: np.zeros(len(BUCKETS), dtype=np.int64))
    counted_sum: float = 0.0
    scores: list[float] = field(default_factory=list)
    between_two: list[bool] = field(default_factory=list)

    @property
    def confidence(self) -> list[int]:
        """How many predictions in each of `BUCKETS` (not cumulated)."""
        self.settle()
        found: list[int] = self.counted.tolist()
        return found

    @property
    def confidence_sum(self) -> float:
        """The sum of their confidence."""
        self.settle()
        return self.counted_sum

    def add(self, other: "Vitals") -> None:
        """Add the counts of another."""
        self.predictions += other.predictions
        self.invalid += other.invalid
        self.violations += other.violations
        self.anomalous += other.anomalous
        self.counted = self.counted + other.counted
        self.counted_sum += other.counted_sum
        self.scores += other.scores
        self.between_two += other.between_two
        if len(self.scores) > WAITING_MAX:
            self.settle()

    def settle(self) -> None:
        """Count the scores that wait, so that a copy shares nothing that still grows.

        Of an answer between two, the score is that of one of them: the confidence is the greater side.
        """
        scores, between_two = np.array(self.scores, dtype=np.float64), np.array(self.between_two, dtype=np.bool_)
        confidence = np.where(between_two, np.maximum(scores, 1 - scores), scores)[(scores >= 0) & (scores <= 1)]
        places = np.clip(np.ceil(confidence * 10 - 1e-9).astype(np.int64) - 1, 0, len(BUCKETS) - 1)
        self.counted = self.counted + np.bincount(places, minlength=len(BUCKETS))
        self.counted_sum += float(confidence.sum())
        self.scores, self.between_two = [], []


ByVersion = Mapping[tuple[str, str], Vitals]
"""Vitals by model and version; a version that is not named is empty."""


@dataclass(frozen=True, slots=True)
class KnownModels:
    """What is known of models beside their counts.

    Attributes:
        versions: the models and versions that are registered.
        figures: of each model's last scan.
        last_at: when a `prediction`, a `label` and an `evaluation` of each model came last (ISO 8601).
    """

    versions: Sequence[tuple[str, str]] = ()
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    last_at: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def vitals_of(events: Iterable[Any]) -> dict[tuple[str, str], Vitals]:
    """The vitals of events; those that are no predictions count for nothing. It is called for every batch: no loops."""
    groups: dict[tuple[str, str | None], list[Any]] = {}
    predictions = [event for event in events if event.kind == "prediction"]
    versions = {(event.model_id, event.model_version) for event in predictions}
    if len(versions) == 1:
        groups[versions.pop()] = predictions
    else:
        for event in predictions:
            groups.setdefault((event.model_id, event.model_version), []).append(event)
    return {(model_id, version or ""): _vitals(members) for (model_id, version), members in groups.items()}


def _vitals(events: Sequence[Any]) -> Vitals:
    flagged = [set(flags) for event in events if (flags := event.flags)]
    scored = [event for event in events if event.score is not None]
    return Vitals(
        len(events),
        sum(INVALID in flags for flags in flagged),
        sum(VIOLATION in flags for flags in flagged),
        sum(ANOMALOUS in flags for flags in flagged),
        scores=[event.score for event in scored],
        between_two=[event.prediction in _SIDES for event in scored],
    )
