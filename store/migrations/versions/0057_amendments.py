"""What was given again under review: which fields, and which findings came or went by it.

As codes: the versions that it is about stand in `applications`, sealed. Empty in all cases of before.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0057"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("cases", sa.Column("amendments", postgresql.JSONB(), nullable=True))
