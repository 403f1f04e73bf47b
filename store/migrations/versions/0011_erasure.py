"""Erasures, legal holds, and when a case was erased and a roster emptied."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the tables and columns."""
    op.add_column("registrations", sa.Column("erased_at", _MOMENT, nullable=True))
    op.create_index(
        "ix_registrations_kept",
        "registrations",
        ["accepted_at"],
        postgresql_where=sa.text("NOT live AND erased_at IS NULL"),
    )
    op.add_column("rosters", sa.Column("emptied_at", _MOMENT, nullable=True))
    op.create_index("ix_rosters_kept", "rosters", ["at"], postgresql_where=sa.text("emptied_at IS NULL"))
    _create_erasures()
    _create_legal_holds()
    for table in ("erasures", "legal_holds"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APPLICATION}")
        op.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM {APPLICATION}")
    op.execute("ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE legal_holds FORCE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY tenant ON legal_holds
        USING (current_setting('hetao.tenant', true) IN ('*', employer_id))
        WITH CHECK (current_setting('hetao.tenant', true) IN ('*', employer_id))
    """)


def _create_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", postgresql.JSONB(), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        sa.Column("decided_by", postgresql.JSONB(), nullable=True),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasures")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name=op.f("fk_erasures_person_id_persons")),
        sa.ForeignKeyConstraint(
            ["reference"], ["registrations.reference"], name=op.f("fk_erasures_reference_registrations")
        ),
    )
    op.create_index(
        "uq_erasures_proposed",
        "erasures",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_index("ix_erasures_reference", "erasures", ["reference", "proposed_at"])


def _create_legal_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paper", sa.LargeBinary(), nullable=False),
        sa.Column("placed_by", postgresql.JSONB(), nullable=False),
        sa.Column("placed_at", _MOMENT, nullable=False),
        sa.Column("released_by", postgresql.JSONB(), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.Column("released_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_legal_holds")),
        sa.ForeignKeyConstraint(
            ["reference"], ["registrations.reference"], name=op.f("fk_legal_holds_reference_registrations")
        ),
    )
    op.create_index("ix_legal_holds_reference", "legal_holds", ["reference"])
