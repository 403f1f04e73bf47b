"""What an officer answered about findings, which is not asked again of the same finding with the same facts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the answers."""
    op.add_column("registrations", sa.Column("answered_findings", postgresql.JSONB()))
