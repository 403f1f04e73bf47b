"""What an operator needs to find a defect: where in the code, in which call, how often, and when last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and the index by which the same defect of calls is one incident while it is open."""
    op.add_column("incidents", sa.Column("place", sa.Text()))
    op.add_column("incidents", sa.Column("correlation_id", sa.Text()))
    op.add_column("incidents", sa.Column("times", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("incidents", sa.Column("last_at", postgresql.TIMESTAMP(timezone=True)))
    op.create_index(
        "uq_incidents_repeated",
        "incidents",
        ["kind", "step", "reason", sa.text("coalesce(place, '')"), sa.text("coalesce(reference, '')")],
        unique=True,
        postgresql_where=sa.text("state = 'open' AND (kind = 'defect' OR reason = 'signature_invalid')"),
    )
