"""What load is counted by: since when it is whose turn, and indexes of what waits and of what the ledger says of it.

Of cases of before it is not known since when; from their next turn on it is.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the indexes."""
    op.add_column("cases", sa.Column("holder_since", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index("ix_ledger_held", "ledger", ["at"], postgresql_where=sa.text("detail ? 'held'"))
    op.create_index(
        "ix_permits_waiting",
        "permits",
        ["stage", "destination"],
        postgresql_where=sa.text("stage IN ('accepted', 'eligible', 'submitted')"),
    )
