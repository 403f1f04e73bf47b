"""The differences that reconciliation found between the records of a case."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"


def upgrade() -> None:
    """Create the table."""
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "differences",
        sa.Column("difference_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("place", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("first_seen_at", moment, nullable=False),
        sa.Column("last_seen_at", moment, nullable=False),
        sa.Column("gone_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("difference_id", name=op.f("pk_differences")),
    )
    open_only = sa.text("gone_at IS NULL")
    op.create_index(
        "ix_differences_open", "differences", ["first_seen_at", "difference_id"], postgresql_where=open_only
    )
    op.create_index("ix_differences_reference", "differences", ["reference"], postgresql_where=open_only)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON differences TO {APPLICATION}")
