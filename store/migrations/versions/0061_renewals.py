"""Renewals: what an owner confirms anew of an approved case before a track of it runs out, and what became of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import close_case_table

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table, close it, and let the person of a talent permit see their own."""
    op.create_table(
        "renewals",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("ends", postgresql.JSONB(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("changes", sa.LargeBinary()),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("due_at", _MOMENT),
        sa.Column("due_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("overdue", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("decided_on", sa.Date()),
        sa.Column("decided_by", postgresql.JSONB()),
        sa.Column("settles_at", _MOMENT),
        sa.Column("settled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_renewals_reference")),
        sa.PrimaryKeyConstraint("reference", "number", name=op.f("pk_renewals")),
    )
    close_case_table("renewals", key="number")
    op.execute(
        "UPDATE declared_parts SET tables = (SELECT array_agg(DISTINCT t ORDER BY t)"
        " FROM unnest(tables || ARRAY['renewals']) AS t)"
        " WHERE programme = 'talent_permit' AND part = 'subject' AND kind = 'person'"
    )
