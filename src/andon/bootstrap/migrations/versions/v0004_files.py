"""Files of incidents; what their sources called them, and which priorities they had before they rose."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXTS = ("incident_id", "file", "stored", "name", "sha256", "text", "actor", "added_at", "erased_at")
NUMBERS = ("number", "bytes", "entry")


def upgrade() -> None:
    """Take the step."""
    op.add_column("incidents", sa.Column("told", sa.Text))
    op.add_column("incidents", sa.Column("rises", sa.Text))
    kinds = [sa.Column(each, sa.BigInteger if each in NUMBERS else sa.Text) for each in (*TEXTS, *NUMBERS)]
    op.create_table("incident_files", sa.Column("id", sa.Text, primary_key=True), *kinds)
    op.create_index("incident_files_by_incident_id_number", "incident_files", ["incident_id", "number"])
