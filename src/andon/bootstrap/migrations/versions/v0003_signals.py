"""Signals, the alerts that they make, silences and maps; models, their tags and changes."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Take the step."""
    op.add_column("tokens", sa.Column("kind", sa.Text))
    op.add_column("incidents", sa.Column("ended", sa.BigInteger))
    op.add_column("incident_alerts", sa.Column("ended_at", sa.Text))
    _folded(
        "signals",
        *("signal_id", "channel", "actor", "at", "alerts", "state", "content"),
        numbers={"alerts"},
        by=[("state",), ("signal_id",)],
    )
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
    )
    _folded("silences", "matchers", "starts_at", "ends_at", "reason", "actor")
    _folded("model_figures", "at", "content")
    _folded("alert_maps", "matchers", "model_id", "incident_type", "environment", "actor", "made_at", "removed_at")
    _folded("models", "owner", "risk_class", "content", "made_at", "changed_at", "seq", numbers={"seq"})
    _folded(
        "model_tags",
        *("model_id", "version", "evidence", "actor", "earned_at", "lost_at", "reason"),
        by=[("model_id",)],
    )
    _folded(
        "model_changes",
        *("model_id", "kind", "at", "version", "environment", "what", "url", "actor", "posted_at", "place"),
        by=[("model_id", "place"), ("place",)],
    )


def _folded(name: str, *columns: str, numbers: Collection[str] = (), by: Sequence[tuple[str, ...]] = ()) -> None:
    kinds = [sa.Column(each, sa.BigInteger if each in numbers else sa.Text) for each in columns]
    op.create_table(name, sa.Column("id", sa.Text, primary_key=True), *kinds)
    for each in by:
        op.create_index(f"{name}_by_{'_'.join(each)}", name, list(each))
