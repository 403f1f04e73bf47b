"""Searching the ledger: indexes by value and time, marks of reasons and of cases read; and the sign-ins seen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"


def upgrade() -> None:
    """Create indexes, tables, and the trigger that marks a row."""
    _create_indexes()
    _create_marks()
    _create_sign_ins()


def _create_indexes() -> None:
    op.create_index("ix_ledger_at", "ledger", ["at"])
    op.create_index("ix_ledger_act_at", "ledger", ["act", "at"])
    op.create_index("ix_ledger_actor_subject_at", "ledger", ["actor_subject", "at"])
    op.create_index("ix_ledger_employer_id_at", "ledger", ["employer_id", "at"])
    # What most rows lack, or what the engine itself has on most of them, is not worth an entry for each row.
    for column, where in (
        ("actor_role", "actor_role <> 'system'"),
        ("outcome", "outcome IS NOT NULL"),
        ("destination", "destination IS NOT NULL"),
        ("rule_version", "rule_version IS NOT NULL"),
    ):
        op.create_index(f"ix_ledger_{column}_at", "ledger", [column, "at"], postgresql_where=sa.text(where))


def _create_marks() -> None:
    op.create_table(
        "ledger_marks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "value", "at", "chain", "seq", name=op.f("pk_ledger_marks")),
    )
    op.execute(f"GRANT SELECT, INSERT ON ledger_marks TO {APPLICATION}")
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON ledger_marks FROM {APPLICATION}")
    op.execute("ALTER TABLE ledger_marks ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE ledger_marks FORCE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY tenant ON ledger_marks
        USING (current_setting('hetao.tenant', true) IN ('*', employer_id))
        WITH CHECK (current_setting('hetao.tenant', true) IN ('*', employer_id))
    """)
    # Of lists no index of PostgreSQL is both in order of time and open to a reader under row-level security.
    op.execute("""
        CREATE FUNCTION mark_ledger_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO ledger_marks (kind, value, at, chain, seq, employer_id)
            SELECT DISTINCT 'reason', code, NEW.at, NEW.chain, NEW.seq, NEW.employer_id
            FROM unnest(NEW.reason_codes) AS code;
            IF jsonb_typeof(NEW.detail -> 'cases') = 'array' THEN
                INSERT INTO ledger_marks (kind, value, at, chain, seq, employer_id)
                SELECT DISTINCT 'case', reference, NEW.at, NEW.chain, NEW.seq, NEW.employer_id
                FROM jsonb_array_elements_text(NEW.detail -> 'cases') AS reference;
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER ledger_marked AFTER INSERT ON ledger FOR EACH ROW
        WHEN (cardinality(NEW.reason_codes) > 0 OR jsonb_typeof(NEW.detail -> 'cases') = 'array')
        EXECUTE FUNCTION mark_ledger_row()
    """)
    op.execute("""
        CREATE TRIGGER ledger_marks_append_only BEFORE UPDATE OR DELETE ON ledger_marks
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER ledger_marks_no_truncate BEFORE TRUNCATE ON ledger_marks
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def _create_sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_ins")),
    )
    op.execute(f"GRANT SELECT, INSERT, DELETE ON sign_ins TO {APPLICATION}")
