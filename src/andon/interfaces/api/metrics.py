"""What Prometheus reads: counts and sizes of the server itself, without personal data."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from andon.interfaces.api.model_metrics import Known, ModelMetrics
from andon.services.ingest import Accepted, Batch
from andon.telemetry.event import parse_events
from andon.telemetry.vitals import vitals_of

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The families, each in a registry of its own server."""

    def __init__(self, known: Known, types: Sequence[str]) -> None:
        self._registry = CollectorRegistry()
        self._models = ModelMetrics(known, types)
        self._registry.register(self._models)
        ProcessCollector(registry=self._registry)
        self._events = self._counter("andon_ingest_events", "Events that are on the disk.")
        self._repeated = self._counter("andon_ingest_repeated", "Lines that had been sent before.")
        self._answers = Counter(
            "andon_ingest_requests", "Answers to requests of events.", ["status"], registry=self._registry
        )
        self._gauges = {
            "andon_ingest_pending_bytes": self._gauge("andon_ingest_pending_bytes", "Bytes that wait for the disk."),
            "andon_ledger_entries": self._gauge("andon_ledger_entries", "Entries in this server's log."),
            "andon_journal_entries": self._gauge("andon_journal_entries", "Commands in the journal."),
            "andon_alerts_unmapped": self._gauge(
                "andon_alerts_unmapped", "Firing alerts of which nothing says the model."
            ),
            "andon_ready": self._gauge("andon_ready", "1 when the server takes requests."),
        }

    def recorded(self, batch: Batch, done: Accepted) -> None:
        """Count what a request brought; of one that was known in part, its new end."""
        self._events.inc(done.events)
        self._repeated.inc(done.repeated)
        if done.events and not done.repeated:
            self._models.count(batch.vitals)
        elif done.events:
            self._models.count(vitals_of(parse_events([each.payload for each in batch.entries[-done.events :]])))

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._answers.labels(str(status)).inc()

    def text(self, **now: float) -> bytes:
        """All of it, with these values as they are now."""
        for name, value in now.items():
            self._gauges[name].set(value)
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)
