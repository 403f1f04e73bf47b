"""When Temporal took the start of a case, which the sweeper does not send again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment, and leave what bears it out of the index of the sweeper."""
    op.add_column("commands", sa.Column("start_taken_at", postgresql.TIMESTAMP(timezone=True)))
    op.drop_index("ix_commands_unsent", "commands")
    op.create_index(
        "ix_commands_unsent",
        "commands",
        ["at"],
        postgresql_where=sa.text("(state = 'stored' AND start_taken_at IS NULL) OR unanswered"),
    )
