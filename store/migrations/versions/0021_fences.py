"""What is no employer's affair is closed to employers; keys and persons are changed by the park alone."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
# Nobody but the park and the person, who is a caller of the park's, has anything to do with these.
PARK = (
    "objections",
    "person_sessions",
    "sign_in_links",
    "erasures",
    "archived_histories",
    "differences",
    "messages_seen",
    "receipts",
    "rule_trials",
)
# Intake finds a person and the key whoever registered them first, and adds both where it finds none.
SHARED = ("persons", "data_keys")


def upgrade() -> None:
    """Put each table under row-level security."""
    for table in (*PARK, *SHARED):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in PARK:
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT} = '*') WITH CHECK ({TENANT} = '*')")
    op.execute("""
        CREATE POLICY own_cases ON objections AS RESTRICTIVE FOR SELECT
        USING (coalesce(current_setting('hetao.cases', true), '') = ''
            OR reference = ANY (string_to_array(current_setting('hetao.cases', true), ',')))
    """)
    for table in SHARED:
        op.execute(f"CREATE POLICY reads ON {table} FOR SELECT USING ({TENANT} <> '')")
        op.execute(f"CREATE POLICY adds ON {table} FOR INSERT WITH CHECK ({TENANT} <> '')")
        # A person is held with FOR KEY SHARE while a case is taken on, which asks for the right to see it changed.
        op.execute(f"CREATE POLICY changes ON {table} FOR UPDATE USING ({TENANT} <> '') WITH CHECK ({TENANT} = '*')")
        op.execute(f"CREATE POLICY removes ON {table} FOR DELETE USING ({TENANT} = '*')")
