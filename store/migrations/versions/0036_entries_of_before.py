"""By which name the authority has a case whose list entry is one of before a restore."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; empty, it rewrites no row, and its index is empty too."""
    op.add_column("permits", sa.Column("entry_case", sa.Text()))
    op.create_index(
        "ix_permits_entry_case",
        "permits",
        ["entry_case"],
        unique=True,
        postgresql_where=sa.text("entry_case IS NOT NULL"),
    )
