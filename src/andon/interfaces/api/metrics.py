"""What Prometheus reads: counts and sizes of the server itself, without personal data."""

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The families, each in a registry of its own server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
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
            "andon_ready": self._gauge("andon_ready", "1 when the server takes requests."),
        }

    def recorded(self, events: int, repeated: int) -> None:
        """Count what a request brought."""
        self._events.inc(events)
        self._repeated.inc(repeated)

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
