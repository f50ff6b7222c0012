"""What recorded predictions say of a model's health, as counts by model and version: what Prometheus reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BUCKETS: Final = tuple(tenth / 10 for tenth in range(1, 11))
"""Upper bounds of the buckets of confidence."""
INVALID: Final = "invalid_output"
VIOLATION: Final = "policy_violation"
ANOMALOUS: Final = "anomalous_input"
"""The flags of a prediction that are counted."""
_SIDES: Final = (0, 1, "0", "1")  # True and False are 1 and 0


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


def vitals_of(events: Iterable[Any]) -> dict[tuple[str, str], Vitals]:
    """The vitals of events; those that are no predictions count for nothing."""
    found: dict[tuple[str, str], Vitals] = {}
    for event in events:
        if event.kind != "prediction":
            continue
        key = (event.model_id, event.model_version or "")
        vitals = found.get(key)
        if vitals is None:
            vitals = found[key] = Vitals()
        vitals.predictions += 1
        if event.flags:
            _count_flags(vitals, event.flags)
        if event.score is not None and 0 <= event.score <= 1:
            _count_confidence(vitals, event.score, event.prediction)
    return found


def _count_flags(vitals: Vitals, flags: Iterable[str]) -> None:
    named = set(flags)
    vitals.invalid += INVALID in named
    vitals.violations += VIOLATION in named
    vitals.anomalous += ANOMALOUS in named


def _count_confidence(vitals: Vitals, score: float, prediction: object) -> None:
    """Of an answer between two, the score is that of one of them: the confidence is the greater side."""
    confidence = max(score, 1 - score) if prediction in _SIDES else score
    vitals.confidence[min(int(confidence * 10 - 1e-9), 9)] += 1
    vitals.confidence_sum += confidence
