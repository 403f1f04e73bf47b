"""Which notices in the inbox somebody has read, and the inbox of what is told to the whole queue."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_SETTING = "current_setting('hetao.tenant', true)"
_SEEN = f"CASE WHEN {_SETTING} = '*' THEN true ELSE {_SETTING} = employer_id END"
_STAFF = sa.text("recipient IN ('officers', 'supervisors', 'proposer', 'holder', 'park')")


def upgrade() -> None:
    """Create the table, and let the index of the inbox hold what is told to the queue."""
    op.create_table(
        "notice_reads",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("read_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.notice_id"], name=op.f("fk_notice_reads_notice_id_notices")),
        sa.PrimaryKeyConstraint("notice_id", "subject", name=op.f("pk_notice_reads")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON notice_reads TO {APPLICATION}")
    op.execute("ALTER TABLE notice_reads ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notice_reads FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON notice_reads USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.drop_index("ix_notices_inbox", "notices")
    op.create_index("ix_notices_inbox", "notices", ["subject", "recipient", "at"], postgresql_where=_STAFF)
