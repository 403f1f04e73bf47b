"""What the migration of a toy would say: its table, closed as those of all cases are, and who sees it."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import close_case_table, declare_part

# Written out, since a migration never changes and imports nothing that does; a test compares it to the declaration.
PERSON_SEES: Final = frozenset(
    "answers applications assessments calls case_facts cases commands deadlines deliveries employer_versions employers"
    " evidence ledger ledger_marks legal_holds notices objections tasks toy_makings".split()
)


def upgrade() -> None:
    """Make and close the table, and let the person of a case see it."""
    op.create_table(
        "toy_makings",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("workshop", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("made_on", sa.Date()),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("due_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pending_act", sa.Text()),
        sa.Column("pending", postgresql.JSONB()),
        sa.Column("rejected", postgresql.JSONB()),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name="fk_toy_makings_reference"),
        sa.PrimaryKeyConstraint("reference", "workshop", name="pk_toy_makings"),
    )
    close_case_table("toy_makings", key="workshop")
    declare_part("toy", "subject", "person", sees=PERSON_SEES, asks=("object", "withdraw_objection"))


def downgrade() -> None:
    """Undo it, which no migration that ships does: the tests' database is used again."""
    op.execute("DELETE FROM declared_parts WHERE programme = 'toy'")
    op.drop_table("toy_makings")
