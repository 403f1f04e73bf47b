"""Renewals that are sent back: how often, and the park's limit that stops meanwhile."""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a renewal of before was never sent back, and its limit runs from the day it was asked."""
    op.add_column("renewals", sa.Column("returned_times", sa.Integer()))
    op.add_column("renewals", sa.Column("limit_used", sa.Integer()))
    op.add_column("renewals", sa.Column("limit_since", sa.Date()))
