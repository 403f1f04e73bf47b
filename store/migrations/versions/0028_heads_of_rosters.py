"""The headers of a roster as they were sent, so that a defect is named by the column that its sender knows."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the sealed head; rosters from before have none."""
    op.add_column("rosters", sa.Column("head", sa.LargeBinary()))
