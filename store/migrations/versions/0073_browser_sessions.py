"""Sessions of browsers at the console: found by a hash, and sealed under what the browser alone has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import keep_as_written

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

_APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the table, which transactions of the park alone meet: a session is found before it is known whose it is."""
    op.create_table(
        "browser_sessions",
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_browser_sessions")),
    )
    op.create_index("ix_browser_sessions_subject", "browser_sessions", ["subject_hash"])
    op.create_index("ix_browser_sessions_ends", "browser_sessions", ["ends_at"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON browser_sessions TO {_APPLICATION}")
    op.execute(f"REVOKE TRUNCATE ON browser_sessions FROM {_APPLICATION}")
    op.execute("ALTER TABLE browser_sessions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE browser_sessions FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON browser_sessions USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")
    keep_as_written("browser_sessions", ["session_hash", "subject_hash", "content", "opened_at", "ends_at"])
