"""Notices found by the employer that reads them, and several of one step in one message to their reader."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index, and what says which delivery's message carries a notice."""
    op.create_index(
        "ix_notices_employer",
        "notices",
        ["employer_id", "at", "notice_id"],
        postgresql_where=sa.text("recipient = 'employer'"),
    )
    op.add_column("deliveries", sa.Column("carried_by", sa.Uuid()))
    op.add_column("deliveries", sa.Column("message_hash", sa.Text()))
    op.create_index(
        "ix_deliveries_carried", "deliveries", ["carried_by"], postgresql_where=sa.text("carried_by IS NOT NULL")
    )
