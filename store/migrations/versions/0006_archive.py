"""The archive of histories, which the application adds to and never changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"


def upgrade() -> None:
    """Create the table, append-only for the application as for its triggers."""
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "archived_histories",
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("workflow_type", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("closed_at", moment, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("next_run_id", sa.Text(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("workflow_id", "run_id", name=op.f("pk_archived_histories")),
    )
    op.create_index(
        "ix_archived_histories_reference",
        "archived_histories",
        ["reference"],
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index("ix_archived_histories_closed", "archived_histories", ["closed_at"])
    # Compressed and encrypted already: PostgreSQL would only try in vain to make it smaller.
    op.execute("ALTER TABLE archived_histories ALTER COLUMN content SET STORAGE EXTERNAL")
    op.execute("""
        CREATE TRIGGER archived_histories_append_only BEFORE UPDATE OR DELETE ON archived_histories
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER archived_histories_no_truncate BEFORE TRUNCATE ON archived_histories
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute(f"GRANT SELECT, INSERT ON archived_histories TO {APPLICATION}")
