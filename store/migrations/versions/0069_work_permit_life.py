"""The person of a work permit sees its extensions, contests facts, and may ask for its cancellation."""

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the policies know it."""
    op.execute("""
        UPDATE declared_parts
        SET tables = array_append(tables, 'renewals'),
            commands = commands || ARRAY['contest_fact', 'work_permit_cancellation']
        WHERE programme = 'work_permit' AND part = 'subject' AND kind = 'person'
    """)
