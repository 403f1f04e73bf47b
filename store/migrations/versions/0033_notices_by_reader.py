"""Notices found by the employer that reads them."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_notices_employer",
        "notices",
        ["employer_id", "at", "notice_id"],
        postgresql_where=sa.text("recipient = 'employer'"),
    )
