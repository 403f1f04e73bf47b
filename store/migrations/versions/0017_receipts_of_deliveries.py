"""The receipts of a delivery by its id, which the record of a case asks for."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the receipts of a delivery be found without reading all of them."""
    op.create_index("ix_receipts_delivery", "receipts", ["delivery_id"])
