"""Epochs of the register: a declared restore makes every newer memory of it yield."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
SEALER = "hetao_sealer"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"


def upgrade() -> None:
    """Create both tables, and let a declared restore move the numbers of registrations past those that were given."""
    op.create_table(
        "epochs",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("declaration", postgresql.JSONB(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("told_at", postgresql.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_epochs")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (told_at) ON epochs TO {APPLICATION}")
    op.execute(f"GRANT SELECT ON epochs TO {SEALER}")
    op.create_table(
        "lost_cases",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_lost_cases")),
    )
    op.execute(f"GRANT SELECT, INSERT, DELETE ON lost_cases TO {APPLICATION}")
    op.execute(f"GRANT UPDATE ON SEQUENCE registration_number_seq TO {APPLICATION}")
