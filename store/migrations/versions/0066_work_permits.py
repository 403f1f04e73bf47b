"""Work permits: the permit of a case and the residence permit beside it, which the person of the case sees."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import close_case_table, declare_part

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

PERSON_SEES: Final = frozenset(
    "answers applications assessments calls case_facts cases commands deadlines deliveries employer_versions employers"
    " evidence ledger ledger_marks legal_holds notices objections tasks work_permit_residences work_permits".split()
)


def upgrade() -> None:
    """Make and close the tables, and let the person of a case see them."""
    op.create_table(
        "work_permits",
        *_head("work_permits"),
        sa.Column("number", sa.Text()),
        sa.Column("category", sa.Text()),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("entered", postgresql.JSONB()),
        sa.Column("earlier", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("end_reason", sa.Text()),
        *_rest(),
    )
    op.create_table(
        "work_permit_residences",
        *_head("work_permit_residences"),
        sa.Column("entered_on", sa.Date()),
        sa.Column("applied_on", sa.Date()),
        sa.Column("decided_on", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        *_rest(),
    )
    for table in ("work_permits", "work_permit_residences"):
        close_case_table(table, key="part")
    declare_part("work_permit", "subject", "person", sees=PERSON_SEES, asks=("object", "withdraw_objection"))


def _head(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text()),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=f"fk_{table}_reference"),
        sa.PrimaryKeyConstraint("reference", "part", name=f"pk_{table}"),
    )


def _rest() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("due_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("due_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pending_act", sa.Text()),
        sa.Column("pending", postgresql.JSONB()),
        sa.Column("rejected", postgresql.JSONB()),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
    )
