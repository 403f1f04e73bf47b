"""Appraisal: the route, the employment that an employer confirms, the recognition, and who sees and asks what."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import close_case_table, declare_part

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

_SEES: Final = (
    "answers applications appraisal_employments appraisal_recognitions appraisals assessments calls case_facts cases"
    " commands deadlines deliveries employer_versions employers evidence ledger ledger_marks legal_holds notices"
    " objections renewals tasks".split()
)
_OWNER_ASKS: Final = (
    "change contest contest_fact correct correct_renewal object renew take_over withdraw withdraw_objection"
    " withdraw_renewal".split()
)
_CONFIRMER_ASKS: Final = "appraisal_confirm appraisal_deny appraisal_leave".split()


def upgrade() -> None:
    """Make and close the tables, and let each party see and ask its own."""
    op.create_table(
        "appraisals",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_appraisals_reference")),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_appraisals")),
    )
    close_case_table("appraisals")
    _make_track(
        "appraisal_employments",
        sa.Column("round", sa.Text()),
        sa.Column("answered_on", sa.Date()),
        sa.Column("last_day", sa.Date()),
    )
    _make_track(
        "appraisal_recognitions",
        sa.Column("certificate", sa.Text()),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("suspended_for", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("ended_on", sa.Date()),
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("appraisal_certificate_seq")))
    op.execute("GRANT USAGE, SELECT, UPDATE ON SEQUENCE appraisal_certificate_seq TO hetao_app")
    declare_part("appraisal", "owner", "person", sees=_SEES, asks=_OWNER_ASKS)
    declare_part("appraisal", "subject", "person", sees=_SEES)
    declare_part("appraisal", "confirmer", "employer", sees=("appraisal_employments",), asks=_CONFIRMER_ASKS)


def _make_track(name: str, *own: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text()),
        *own,
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True)),
        sa.Column("due_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pending_act", sa.Text()),
        sa.Column("pending", postgresql.JSONB()),
        sa.Column("rejected", postgresql.JSONB()),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f(f"fk_{name}_reference")),
        sa.PrimaryKeyConstraint("reference", "part", name=op.f(f"pk_{name}")),
    )
    close_case_table(name, key="part")
