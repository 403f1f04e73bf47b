"""The conditions of row-level security that came after 0005, in words that the planner does not misjudge.

Of `a OR b` over settings PostgreSQL believes that next to no row passes, and reads and sorts all marks of a reason
where it could walk their index to the newest fifty. Both let the same rows pass. Marks get an index by their time.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TENANT = "current_setting('hetao.tenant', true)"
_SEEN = f"CASE WHEN {_TENANT} = '*' THEN true ELSE {_TENANT} = employer_id END"
_CASES = "current_setting('hetao.cases', true)"
_OWN = f"CASE WHEN coalesce({_CASES}, '') = '' THEN true ELSE reference = ANY (string_to_array({_CASES}, ',')) END"


def upgrade() -> None:
    """Put the later conditions in the form of the earlier ones, and find marks by their time."""
    for table in ("ledger_marks", "legal_holds"):
        op.execute(f"ALTER POLICY tenant ON {table} USING ({_SEEN}) WITH CHECK ({_SEEN})")
    for table in ("registrations", "applications", "permits", "notices", "commands"):
        op.execute(f"ALTER POLICY own_cases ON {table} USING ({_OWN})")
    op.create_index("ix_ledger_marks_at", "ledger_marks", ["kind", "at"])
