"""Which awaited commands have no answer of their update yet."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark, and have the index of the sweeper hold what bears it."""
    op.add_column("commands", sa.Column("unanswered", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_index("ix_commands_unsent", "commands")
    op.create_index(
        "ix_commands_unsent", "commands", ["at"], postgresql_where=sa.text("state = 'stored' OR unanswered")
    )
