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
        by=[("incident_id", "place"), ("seq",)],
    )


def _folded(name: str, *columns: str, numbers: Collection[str] = (), by: Sequence[tuple[str, ...]] = ()) -> None:
    kinds = [sa.Column(each, sa.BigInteger if each in numbers else sa.Text) for each in columns]
    op.create_table(name, sa.Column("id", sa.Text, primary_key=True), *kinds)
    for each in by:
        op.create_index(f"{name}_by_{'_'.join(each)}", name, list(each))
