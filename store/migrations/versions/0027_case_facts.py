"""Facts that officers saw, kept in all their versions beside what was given, and the assessments that rest on them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_TENANT = "current_setting('hetao.tenant', true)"
_SEEN = f"CASE WHEN {_TENANT} = '*' THEN true ELSE {_TENANT} = employer_id END"
_CASES = "current_setting('hetao.cases', true)"
_OWN = f"CASE WHEN coalesce({_CASES}, '') = '' THEN true ELSE reference = ANY (string_to_array({_CASES}, ',')) END"


def upgrade() -> None:
    """Create the table, fenced as what was given is, and say of an assessment which facts it rests on."""
    op.create_table(
        "case_facts",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("contest", sa.Text(), nullable=True),
        sa.Column("contested_by", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("seen_by", postgresql.JSONB(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('stands', 'replaced', 'set_aside')", name=op.f("ck_case_facts_state")),
        sa.CheckConstraint("contest IN ('open', 'answered')", name=op.f("ck_case_facts_contest")),
        sa.ForeignKeyConstraint(
            ["reference"], ["registrations.reference"], name=op.f("fk_case_facts_reference_registrations")
        ),
        sa.PrimaryKeyConstraint("reference", "number", name=op.f("pk_case_facts")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON case_facts TO {APPLICATION}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON case_facts FROM {APPLICATION}")
    op.execute("ALTER TABLE case_facts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE case_facts FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON case_facts USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.execute(f"CREATE POLICY own_cases ON case_facts AS RESTRICTIVE FOR SELECT USING ({_OWN})")
    op.add_column("assessments", sa.Column("on_facts", postgresql.JSONB()))
