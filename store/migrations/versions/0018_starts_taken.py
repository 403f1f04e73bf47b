"""When Temporal took the start of a case, which the sweeper does not send again soon."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment."""
    op.add_column("commands", sa.Column("start_taken_at", postgresql.TIMESTAMP(timezone=True)))
