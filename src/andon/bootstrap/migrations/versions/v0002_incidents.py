"""Incidents: what is known of each, which key and number it has, its alerts, its timeline."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Take the step."""
    _folded(
        "incidents",
        *("environment", "model_id", "incident_type", "title", "status", "priority", "origin", "detected_by"),
        *("model_version", "place", "declared_at", "detected_at", "started_at", "started_low", "started_high"),
        *("acknowledged_at", "contained_at", "resolved_at", "closed_at", "follows", "merged_into", "seal_id"),
        *("triaged_at", "cause_at", "reopened_at", "rose_at"),
        *("facts", "proposed", "rule", "facts_missing", "record", "alerts", "seq"),
        numbers={"alerts", "seq"},
        by=[("status",), ("model_id",)],
    )
    _folded("incident_keys", "incident_id")
    _folded("incident_years", "last", numbers={"last"})
    _folded("incident_alerts", "incident_id", "source", "starts_at", "title", by=[("incident_id",)])
    _folded(
        "incident_timeline",
        *("incident_id", "place", "at", "seq", "kind", "actor", "data", "text", "more"),
        numbers={"seq"},
        by=[("incident_id", "place"), ("incident_id", "kind"), ("seq",)],
    )
    _folded("incident_links", "incident_id", "other_id", "relation", "at", by=[("incident_id",)])
    _folded("incident_roles", "incident_id", "role", "person", "name", "since", "until", by=[("incident_id",)])
    _folded(
        "incident_tasks",
        *("incident_id", "number", "kind", "owner", "owner_name", "due_at", "status", "text", "alone", "made_at"),
        "done_at",
        numbers={"number", "alone"},
        by=[("incident_id", "number")],
    )
    _folded(
        "incident_decisions",
        *("incident_id", "number", "actor", "at", "choice", "text", "options"),
        numbers={"number"},
        by=[("incident_id", "number")],
    )
    _folded(
        "incident_hypotheses",
        *("incident_id", "number", "actor", "at", "state", "text", "evidence"),
        numbers={"number"},
        by=[("incident_id", "number")],
    )
    _folded("incident_checks", "incident_id", "item", "actor", "at", "answer", by=[("incident_id",)])
    _folded(
        "incident_warnings",
        *("incident_id", "clock", "percent", "due_at", "at"),
        numbers={"percent"},
        by=[("incident_id",)],
    )
    _folded("incident_actions", "incident_id", "action", "does", "state", "receipt", "at", by=[("incident_id",)])
    _folded("incident_seals", "incident_id", "size", "root", "note", "at", numbers={"size"}, by=[("incident_id",)])
    _searched()


def _searched() -> None:
    op.create_table(
        "search_texts",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text),
        sa.Column("model_id", sa.Text),
        sa.Column("said", sa.Text, nullable=False),
        sa.UniqueConstraint("source", "key", name="search_texts_row"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for step in SQLITE_WORDS:
            op.execute(step)
    else:
        op.execute("create index search_texts_words on search_texts using gin (to_tsvector('simple', said))")


SQLITE_WORDS = (
    "create virtual table search_words using fts5(said, content='search_texts', content_rowid='number')",
    """create trigger search_texts_added after insert on search_texts begin
    insert into search_words(rowid, said) values (new.number, new.said); end""",
    """create trigger search_texts_gone after delete on search_texts begin
    insert into search_words(search_words, rowid, said) values ('delete', old.number, old.said); end""",
)


def _folded(name: str, *columns: str, numbers: Collection[str] = (), by: Sequence[tuple[str, ...]] = ()) -> None:
    kinds = [sa.Column(each, sa.BigInteger if each in numbers else sa.Text) for each in columns]
    op.create_table(name, sa.Column("id", sa.Text, primary_key=True), *kinds)
    for each in by:
        op.create_index(f"{name}_by_{'_'.join(each)}", name, list(each))
