"""The tables: the journal with what hangs on it, and the tables that are a fold of it."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

METADATA: Final = MetaData()

HEAD: Final = Table(
    "journal_head",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
JOURNAL: Final = Table(
    "journal",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("stream_version", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    UniqueConstraint("stream", "stream_version", name="journal_stream"),
    UniqueConstraint("request_id", name="journal_request"),
)
PAYLOAD: Final = Table(
    "journal_payload",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("ct", LargeBinary, nullable=False),
)
OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("body", Text),  # null once it was sent
    Column("sent_at", Text),
    Index("outbox_unsent", "sent_at", "recipient", "seq"),
)
LEASE: Final = Table(
    "lease",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),  # microseconds since the epoch
    Column("integrated", BigInteger, nullable=False),  # a hint: so many entries are in the ledger
)

TEXTS: Final = Table(
    "search_texts",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),  # a folded table, and the id of its row
    Column("key", Text, nullable=False),
    Column("incident_id", Text),
    Column("model_id", Text),  # null where it is the incident's
    Column("said", Text, nullable=False),  # plain words
    UniqueConstraint("source", "key", name="search_texts_row"),
)
"""What is searched; an index that is made from the folded tables and can be made anew."""


def _folded(name: str, *columns: str, numbers: Collection[str] = (), by: Sequence[tuple[str, ...]] = ()) -> Table:
    """A table that is a fold of the journal, by `id`: texts, of which `numbers` are whole numbers; indexed `by`."""
    kinds = [Column(each, BigInteger if each in numbers else Text) for each in columns]
    indexes = [Index(f"{name}_by_{'_'.join(each)}", *each) for each in by]
    return Table(name, METADATA, Column("id", Text, primary_key=True), *kinds, *indexes)


CUSTODY: Final = (
    _folded("tokens", "name", "role", "digest", "models", "created_at", "expires_at", "revoked_at", "kind"),
    _folded(
        "seals",
        *("model_id", "since", "until", "log", "checkpoint_size", "reason", "actor", "made_at", "released_at"),
        numbers={"checkpoint_size"},
    ),
    _folded("releases", "seal_id", "actor", "asked_at", "by", "reason"),
    _folded("exports", "seal_id", "actor", "exported_at", "redacted", numbers={"redacted"}),
)
INCIDENTS: Final = (
    _folded(
        "incidents",
        *("environment", "model_id", "incident_type", "title", "status", "priority", "origin", "detected_by"),
        *("model_version", "place", "declared_at", "detected_at", "started_at", "started_low", "started_high"),
        *("acknowledged_at", "contained_at", "resolved_at", "closed_at", "follows", "merged_into", "seal_id"),
        *("triaged_at", "cause_at", "reopened_at", "rose_at"),
        *("facts", "proposed", "rule", "facts_missing", "record", "alerts", "seq", "ended", "told", "rises"),
        numbers={"alerts", "seq", "ended"},
        by=[("status",), ("model_id",)],
    ),
    _folded("incident_keys", "incident_id"),
    _folded("incident_years", "last", numbers={"last"}),
    _folded("incident_alerts", "incident_id", "source", "starts_at", "title", "ended_at", by=[("incident_id",)]),
    _folded(
        "incident_timeline",
        *("incident_id", "place", "at", "seq", "kind", "actor", "data", "text", "more"),
        numbers={"seq"},
        by=[("incident_id", "place"), ("incident_id", "kind"), ("seq",)],
    ),
    _folded("incident_links", "incident_id", "other_id", "relation", "at", by=[("incident_id",)]),
    _folded("incident_roles", "incident_id", "role", "person", "name", "since", "until", by=[("incident_id",)]),
    _folded(
        "incident_tasks",
        *("incident_id", "number", "kind", "owner", "owner_name", "due_at", "status", "text", "alone", "made_at"),
        "done_at",
        numbers={"number", "alone"},
        by=[("incident_id", "number")],
    ),
    _folded(
        "incident_decisions",
        *("incident_id", "number", "actor", "at", "choice", "text", "options"),
        numbers={"number"},
        by=[("incident_id", "number")],
    ),
    _folded(
        "incident_hypotheses",
        *("incident_id", "number", "actor", "at", "state", "text", "evidence"),
        numbers={"number"},
        by=[("incident_id", "number")],
    ),
    _folded("incident_checks", "incident_id", "item", "actor", "at", "answer", by=[("incident_id",)]),
    _folded(
        "incident_warnings",
        *("incident_id", "clock", "percent", "due_at", "at"),
        numbers={"percent"},
        by=[("incident_id",)],
    ),
    _folded("incident_actions", "incident_id", "action", "does", "state", "receipt", "at", by=[("incident_id",)]),
    _folded("incident_seals", "incident_id", "size", "root", "note", "at", numbers={"size"}, by=[("incident_id",)]),
    _folded(
        "incident_files",
        *("incident_id", "number", "file", "stored", "bytes", "entry", "name", "sha256", "text", "actor"),
        *("added_at", "erased_at"),
        numbers={"number", "bytes", "entry"},
        by=[("incident_id", "number")],
    ),
)

SIGNALS: Final = (
    _folded(
        "signals",
        *("signal_id", "channel", "actor", "at", "alerts", "state", "content"),
        numbers={"alerts"},
        by=[("state",), ("signal_id",)],
    ),
    _folded(
        "alerts",
        *(
            "source",
            "fingerprint",
            "title",
            "starts_at",
            "ends_at",
            "state",
            "environment",
            "model_id",
            "incident_type",
        ),
        *("severity", "model_version", "group_key", "url", "hold", "incident_id", "first_at", "last_at", "content"),
        "place",
        by=[("source", "fingerprint"), ("hold", "id"), ("incident_id",), ("model_id", "place"), ("place",)],
    ),
    _folded("silences", "matchers", "starts_at", "ends_at", "reason", "actor"),
    _folded("model_figures", "at", "content"),
    _folded("alert_maps", "matchers", "model_id", "incident_type", "environment", "actor", "made_at", "removed_at"),
)
INVENTORY: Final = (
    _folded("models", "owner", "risk_class", "content", "made_at", "changed_at", "seq", numbers={"seq"}),
    _folded(
        "model_tags",
        *("model_id", "version", "evidence", "actor", "earned_at", "lost_at", "reason"),
        by=[("model_id",)],
    ),
    _folded(
        "model_changes",
        *("model_id", "kind", "at", "version", "environment", "what", "url", "actor", "posted_at", "place"),
        by=[("model_id", "place"), ("place",)],
    ),
)

FOLDED: Final[dict[str, Table]] = {table.name: table for table in (*CUSTODY, *INCIDENTS, *SIGNALS, *INVENTORY)}
