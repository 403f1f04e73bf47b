"""A person's reads are fenced by the database too: to the cases that their session opens."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("registrations", "applications", "permits", "notices", "commands")


def upgrade() -> None:
    """Let a transaction that names cases see no rows of any other, beside what its tenant sees."""
    for table in TABLES:
        op.execute(f"""
            CREATE POLICY own_cases ON {table} AS RESTRICTIVE FOR SELECT
            USING (coalesce(current_setting('hetao.cases', true), '') = ''
                OR reference = ANY (string_to_array(current_setting('hetao.cases', true), ',')))
        """)
