"""The metric families of models: counts of what was recorded here, and figures of the last scan that was sent.

The names are those of the alert rules that Andon ships (packs/prometheus); the label of a version is `model_version`.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from andon.telemetry.vitals import BUCKETS, ByVersion, KnownModels, Vitals

LABELS: Final = ("model_id", "model_version")
VERSIONS_MAX: Final = 2_000
"""So many models and versions are told apart; what comes later counts as the version `other` of the model `other`."""
OTHER: Final = ("other", "other")
COUNTERS: Final = (
    ("model_predictions", "Predictions that were recorded.", "predictions"),
    ("model_output_invalid", "Of these, flagged invalid_output.", "invalid"),
    ("model_output_policy_violation", "Of these, flagged policy_violation.", "violations"),
    ("model_input_anomaly_score_high", "Of these, flagged anomalous_input.", "anomalous"),
)
LAST: Final = {
    "prediction": "When a prediction was recorded last.",
    "label": "When an outcome was recorded last.",
    "evaluation": "When a scan was sent last.",
}
Known = Callable[[], KnownModels]


class ModelMetrics(Collector):
    """Collects them; `known` is asked at every scrape, so that counters stand at 0 from registration on."""

    def __init__(self, known: Known, types: Sequence[str]) -> None:
        """`types`: of the taxonomy."""
        self._known, self._types = known, types
        self._vitals: dict[tuple[str, str], Vitals] = {}
        self._lock = threading.Lock()

    def count(self, vitals: ByVersion) -> None:
        """Add what was recorded."""
        with self._lock:
            for key, more in vitals.items():
                is_room = key in self._vitals or len(self._vitals) < VERSIONS_MAX
                self._vitals.setdefault(key if is_room else OTHER, Vitals()).add(more)

    @override
    def collect(self) -> Iterable[Metric]:
        """The families as they are now."""
        known = self._known()
        with self._lock:
            for key in known.versions[:VERSIONS_MAX]:
                self._vitals.setdefault(key, Vitals())
            for vitals in self._vitals.values():
                vitals.settle()
            seen = [(key, replace(vitals)) for key, vitals in sorted(self._vitals.items())]
        yield from _counters(seen)
        yield _confidence(seen)
        yield from _gauges(known.figures, self._types)
        yield from _ages(known.last_at)


def _counters(seen: Sequence[tuple[tuple[str, str], Vitals]]) -> Iterable[Metric]:
    for name, text, attribute in COUNTERS:
        family = CounterMetricFamily(name, text, labels=LABELS)
        for key, vitals in seen:
            family.add_metric(key, getattr(vitals, attribute))
        yield family


def _confidence(seen: Sequence[tuple[tuple[str, str], Vitals]]) -> Metric:
    family = HistogramMetricFamily("model_output_confidence", "Confidence of recorded predictions.", labels=LABELS)
    for key, vitals in seen:
        total, buckets = 0, []
        for bound, count in zip(BUCKETS, vitals.confidence, strict=True):
            total += count
            buckets.append((str(bound), float(total)))
        family.add_metric(key, [*buckets, ("+Inf", float(total))], vitals.confidence_sum)
    return family


def _gauges(figures: Mapping[str, Mapping[str, Any]], types: Sequence[str]) -> Iterable[Metric]:
    live = GaugeMetricFamily("model_live_accuracy", "Accuracy by the last scan that was sent.", labels=LABELS)
    baseline = GaugeMetricFamily(
        "model_baseline_accuracy", "Accuracy of the reference it was judged by.", labels=LABELS
    )
    drift = GaugeMetricFamily(
        "model_input_kl_divergence",
        "Kullback-Leibler divergence of an input from the reference, in nats.",
        labels=("model_id", "feature"),
    )
    ongoing = GaugeMetricFamily(
        "model_scan_incidents",
        "Failures that go on by the last scan that was sent.",
        labels=("model_id", "incident_type"),
    )
    for model_id, found in sorted(figures.items()):
        for kind in types:
            ongoing.add_metric((model_id, kind), float(found.get("incidents", {}).get(kind, 0)))
        for family, name in ((live, "live_accuracy"), (baseline, "baseline_accuracy"), (drift, "kl_divergence")):
            for label, value in sorted(found.get(name, {}).items()):
                family.add_metric((model_id, label), float(value))
    return live, baseline, drift, ongoing


def _ages(last_at: Mapping[str, Mapping[str, str]]) -> Iterable[Metric]:
    """Times, not ages: what reads them knows what time it is now, and a stopped server cannot make them look young."""
    for name, text in LAST.items():
        family = GaugeMetricFamily(f"andon_model_last_{name}_timestamp_seconds", text, labels=("model_id",))
        for model_id, at in sorted(last_at.get(name, {}).items())[:VERSIONS_MAX]:
            family.add_metric((model_id,), datetime.fromisoformat(at).timestamp())
        yield family
