"""What an employer is asked to mend, and why a second signature was not given, kept with the case."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is empty changes no hash of a case."""
    op.add_column("registrations", sa.Column("open_points", postgresql.JSONB()))
    op.add_column("registrations", sa.Column("rejected", postgresql.JSONB()))
    op.add_column("permits", sa.Column("rejected", postgresql.JSONB()))
