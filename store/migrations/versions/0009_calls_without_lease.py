"""Calls to the authority are no longer leased."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop what a lease needed."""
    op.drop_column("calls", "lease_until")
    op.drop_column("calls", "tries")
