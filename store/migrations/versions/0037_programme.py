"""Which programme a case is of: all of before are talent permits."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the code; a constant default rewrites no row, and stays for what the version before this one still adds."""
    op.add_column(
        "registrations", sa.Column("programme", sa.Text(), nullable=False, server_default=sa.text("'talent_permit'"))
    )
