"""Where in which trace a command was asked for and a delivery caused; those of before joined none."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; empty, they rewrite no row."""
    for table in ("commands", "deliveries"):
        op.add_column(table, sa.Column("traceparent", sa.Text()))
