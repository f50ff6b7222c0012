"""The first schema: the journal, its outbox and lease, and the tables of tokens and custody."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Take the step."""
    head = op.create_table(
        "journal_head",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"name": "journal", "seq": 0}])
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("stream_version", sa.Integer, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("stream", "stream_version", name="journal_stream"),
        sa.UniqueConstraint("request_id", name="journal_request"),
    )
    op.create_table(
        "journal_payload",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("ct", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("sent_at", sa.Text),
    )
    op.create_index("outbox_unsent", "outbox", ["sent_at", "recipient", "seq"])
    lease = op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("integrated", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(lease, [{"name": "journal", "holder": "", "epoch": 0, "expires_us": 0, "integrated": 0}])
    _folded("tokens", "name", "role", "digest", "models", "created_at", "expires_at", "revoked_at")
    _folded(
        "seals",
        *("model_id", "since", "until", "log", "checkpoint_size", "reason", "actor", "made_at", "released_at"),
    )
    _folded("releases", "seal_id", "actor", "asked_at", "by", "reason")
    _folded("exports", "seal_id", "actor", "exported_at", "redacted")


def _folded(name: str, *columns: str) -> None:
    numbers = {"checkpoint_size", "redacted"}
    kinds = [sa.Column(each, sa.BigInteger if each in numbers else sa.Text) for each in columns]
    op.create_table(name, sa.Column("id", sa.Text, primary_key=True), *kinds)
