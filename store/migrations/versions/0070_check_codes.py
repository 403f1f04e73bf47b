"""Check codes, by their hashes: whether a case is in force, for anyone who was given one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import fence_rows, keep_as_written

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

_APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the table, which is the park's alone; whose case it is is looked at before anything is written."""
    op.create_table(
        "check_codes",
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("issued_by", postgresql.JSONB(), nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_check_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_check_codes_code_hash")),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_check_codes_reference_cases")),
    )
    op.create_index(
        "ix_check_codes_case",
        "check_codes",
        ["reference", "issued_at"],
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    # Taken away with the erasure of the person, so that a code is then as one that there never was.
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON check_codes TO {_APPLICATION}")
    op.execute(f"REVOKE TRUNCATE ON check_codes FROM {_APPLICATION}")
    op.execute("ALTER TABLE check_codes ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE check_codes FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON check_codes USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")
    fence_rows("check_codes", "reference = ANY (string_to_array(current_setting('hetao.cases', true), ','))")
    keep_as_written("check_codes", ["code_id", "code_hash", "reference", "party", "issued_by", "issued_at"])
