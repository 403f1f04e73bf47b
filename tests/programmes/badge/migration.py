"""What the migration of a badge would say: its table, and who sees and asks what."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import close_case_table, declare_part

# Written out, since a migration never changes and imports nothing that does; a test compares it to the declaration.
PERSON_SEES: Final = frozenset(
    "answers applications assessments badge_employments calls case_facts cases commands deadlines deliveries"
    " employer_versions employers evidence ledger ledger_marks legal_holds notices objections tasks".split()
)
OWNER_ASKS: Final = frozenset("contest contest_fact correct take_over withdraw".split())
CONFIRMER_SEES: Final = frozenset({"badge_employments"})
CONFIRMER_ASKS: Final = frozenset({"badge_confirm", "badge_deny"})


def upgrade() -> None:
    """Make and close the table, and let each party see and ask its own."""
    op.create_table(
        "badge_employments",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("answered_on", sa.Date()),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("due_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pending_act", sa.Text()),
        sa.Column("pending", postgresql.JSONB()),
        sa.Column("rejected", postgresql.JSONB()),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name="fk_badge_employments_reference"),
        sa.PrimaryKeyConstraint("reference", "part", name="pk_badge_employments"),
    )
    close_case_table("badge_employments")
    declare_part("badge", "owner", "person", sees=PERSON_SEES, asks=OWNER_ASKS)
    declare_part("badge", "subject", "person", sees=PERSON_SEES)
    declare_part("badge", "confirmer", "employer", sees=CONFIRMER_SEES, asks=CONFIRMER_ASKS)


def downgrade() -> None:
    """Undo it, which no migration that ships does: the tests' database is used again."""
    op.execute("DELETE FROM declared_parts WHERE programme = 'badge'")
    op.drop_table("badge_employments")
