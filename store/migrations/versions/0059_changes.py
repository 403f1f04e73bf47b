"""What changes in a decided case: the day for which an assessment looked at the facts, and the person's own changes."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the day, empty for all that looked at the day of acceptance, and let a person ask for changes."""
    op.add_column("assessments", sa.Column("evaluated_on", sa.Date(), nullable=True))
    op.execute("""
        UPDATE declared_parts SET commands = array_append(commands, 'change')
        WHERE programme = 'talent_permit' AND part = 'subject' AND kind = 'person'
    """)
