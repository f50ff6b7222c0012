"""What recorded predictions say of a model's health, as counts by model and version: what Prometheus reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

BUCKETS: Final = tuple(tenth / 10 for tenth in range(1, 11))
"""Upper bounds of the buckets of confidence."""
INVALID: Final = "invalid_output"
VIOLATION: Final = "policy_violation"
ANOMALOUS: Final = "anomalous_input"
"""The flags of a prediction that are counted."""
_SIDES: Final = frozenset({0, 1, "0", "1"})  # True and False are 1 and 0


@dataclass(slots=True)
class Vitals:
    """Counts of one version of a model.

    Attributes:
        predictions: recorded.
        invalid, violations, anomalous: of these, those with the flag of that name.
        confidence: how many in each of `BUCKETS` (not cumulated); `confidence_sum`: their sum.
    """

    predictions: int = 0
    invalid: int = 0
    violations: int = 0
    anomalous: int = 0
    confidence: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    confidence_sum: float = 0.0

    def add(self, other: "Vitals") -> None:
        """Add the counts of another."""
        self.predictions += other.predictions
        self.invalid += other.invalid
        self.violations += other.violations
        self.anomalous += other.anomalous
        self.confidence = [a + b for a, b in zip(self.confidence, other.confidence, strict=True)]
        self.confidence_sum += other.confidence_sum


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
    counts, total = _confidence([event for event in events if event.score is not None])
    return Vitals(
        len(events),
        sum(INVALID in flags for flags in flagged),
        sum(VIOLATION in flags for flags in flagged),
        sum(ANOMALOUS in flags for flags in flagged),
        counts,
        total,
    )


def _confidence(events: Sequence[Any]) -> tuple[list[int], float]:
    """Of an answer between two, the score is that of one of them: the confidence is the greater side."""
    scores = np.array([event.score for event in events], dtype=np.float64)
    between_two = np.array([event.prediction in _SIDES for event in events], dtype=np.bool_)
    confidence = np.where(between_two, np.maximum(scores, 1 - scores), scores)[(scores >= 0) & (scores <= 1)]
    places = np.clip(np.ceil(confidence * 10 - 1e-9).astype(np.int64) - 1, 0, len(BUCKETS) - 1)
    return np.bincount(places, minlength=len(BUCKETS)).tolist(), float(confidence.sum())
