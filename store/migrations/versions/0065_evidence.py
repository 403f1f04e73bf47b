"""Evidence: the pieces that prove what a form says, what officers saw of each, and what fell later."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import close_case_table

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)
_AS_GIVEN = ("evidence_id", "item", "kind", "round", "given_at", "source_reference", "source_evidence")


def upgrade() -> None:
    """Make the table and close it; which parts see it, the migrations of programmes that have evidence say."""
    op.create_table(
        "evidence",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("given", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("seen_at", _MOMENT),
        sa.Column("seen", sa.LargeBinary()),
        sa.Column("seen_by", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("fallen_at", _MOMENT),
        sa.Column("fallen_for", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("fallen", sa.LargeBinary()),
        sa.Column("source_reference", sa.Text()),
        sa.Column("source_evidence", sa.Integer()),
        sa.CheckConstraint("state IN ('given', 'left_out')", name=op.f("ck_evidence_state")),
        sa.CheckConstraint("result IN ('proved', 'not_proved', 'fallen')", name=op.f("ck_evidence_result")),
        sa.CheckConstraint("(source_reference IS NULL) = (source_evidence IS NULL)", name=op.f("ck_evidence_source")),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_evidence_reference")),
        sa.PrimaryKeyConstraint("reference", "evidence_id", name=op.f("pk_evidence")),
    )
    # Found by the case that it was taken over from, when what was proved there falls.
    op.create_index(
        op.f("ix_evidence_source"),
        "evidence",
        ["source_reference", "source_evidence"],
        postgresql_where=sa.text("source_reference IS NOT NULL"),
    )
    close_case_table("evidence", key=_AS_GIVEN)
