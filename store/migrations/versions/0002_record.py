"""What an act of the ledger is about: under which rule, from which state to which, asked for by which step."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXTS = ("actor_tenant", "purpose", "outcome", "destination", "rule_version", "workflow_id", "run_id")
_HASHES = ("rule_hash", "before_hash", "after_hash", "statement_hash")


def upgrade() -> None:
    """Add the columns."""
    for name in _TEXTS:
        op.add_column("ledger", sa.Column(name, sa.Text(), nullable=True))
    for name in _HASHES:
        op.add_column("ledger", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.add_column("ledger", sa.Column("event_id", sa.Integer(), nullable=True))
    codes: sa.Column[list[str]] = sa.Column(
        "reason_codes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
    )
    op.add_column("ledger", codes)
