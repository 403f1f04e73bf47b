"""What a person signs in with while another address waits, which address objects, and until when a roster waits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what stands already has none of it."""
    op.add_column("registrations", sa.Column("earlier_addresses", sa.LargeBinary()))
    op.add_column("objections", sa.Column("address_hash", sa.LargeBinary()))
    op.add_column("rosters", sa.Column("resumes_at", postgresql.TIMESTAMP(timezone=True)))
