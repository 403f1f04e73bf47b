"""Statements of commands that stay as they were signed, and the tasks of a case by its reference."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the statement of a body that was sealed again, and let reconciliation find tasks that are closed."""
    op.add_column("commands", sa.Column("resealed", sa.Text()))
    op.create_index("ix_tasks_reference", "tasks", ["reference"])
