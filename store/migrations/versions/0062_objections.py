"""Objections against decisions: what the case keeps of them as codes, and which side made one.

What was objected to before were complaints and disputes, all of them of persons.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_ASKED = "'object', 'withdraw_objection'"


def upgrade() -> None:
    """Add the columns, and let the person whom a registration is about object to decisions on it."""
    op.add_column("cases", sa.Column("objections", postgresql.JSONB(), nullable=True))
    op.add_column("objections", sa.Column("party", sa.Text(), server_default=sa.text("'person'"), nullable=False))
    op.execute(f"""
        UPDATE declared_parts SET commands = (
            SELECT array_agg(each ORDER BY each) FROM unnest(commands || ARRAY[{_ASKED}]) each)
        WHERE programme = 'talent_permit' AND part = 'subject' AND kind = 'person'
    """)
