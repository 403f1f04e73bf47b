"""Rule packs that are proposed and published, and trials of drafts on past cases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"


def upgrade() -> None:
    """Create both tables; packs lose no row and trials are never changed."""
    op.create_table(
        "rule_packs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("report_hash", sa.Text(), nullable=False),
        sa.Column("proposed_by", postgresql.JSONB(), nullable=False),
        sa.Column("confirmed_by", postgresql.JSONB()),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        _recorded(),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_rule_packs")),
    )
    op.create_index(
        "uq_rule_packs_effective_from",
        "rule_packs",
        ["name", "effective_from"],
        unique=True,
        postgresql_where=sa.text("state <> 'rejected'"),
    )
    op.create_table(
        "rule_trials",
        sa.Column("report_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("flipped", sa.Integer(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        _recorded(),
        sa.PrimaryKeyConstraint("report_hash", name=op.f("pk_rule_trials")),
    )
    op.execute(f"GRANT SELECT, INSERT ON rule_packs, rule_trials TO {APPLICATION}")
    op.execute(f"GRANT UPDATE (state, confirmed_by) ON rule_packs TO {APPLICATION}")


def _recorded() -> sa.Column[object]:
    return sa.Column(
        "recorded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False
    )
