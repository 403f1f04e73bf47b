"""Saved views: filters of lists, each under a name that its owner gave it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import keep_as_written

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"


def upgrade() -> None:
    """Add the table, which transactions of the park alone meet; whose a view is is looked at by its owner."""
    op.create_table(
        "saved_views",
        sa.Column("view_id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(), nullable=False),
        sa.Column("saved_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_saved_views")),
    )
    op.create_index("ix_saved_views_owner", "saved_views", ["owner", "saved_at"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO {_APPLICATION}")
    op.execute(f"REVOKE TRUNCATE ON saved_views FROM {_APPLICATION}")
    op.execute("ALTER TABLE saved_views ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE saved_views FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON saved_views USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")
    keep_as_written("saved_views", ["view_id", "owner", "list"])
