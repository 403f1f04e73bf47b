"""Drafts of forms and of decisions, sealed; they go thirty days after their last change, or with their person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import fence_rows, keep_as_written

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

_APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the table, which transactions of the park alone meet; whose a draft is is looked at by its owner."""
    op.create_table(
        "drafts",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("document_hashes", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("begun_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_drafts")),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_drafts_reference_cases")),
        sa.ForeignKeyConstraint(["key_id"], ["data_keys.key_id"], name=op.f("fk_drafts_key_id_data_keys")),
    )
    op.create_index("ix_drafts_owner", "drafts", ["owner", "changed_at"])
    op.create_index("ix_drafts_changed", "drafts", ["changed_at"])
    op.create_index("ix_drafts_documents", "drafts", ["document_hashes"], postgresql_using="gin")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON drafts TO {_APPLICATION}")
    op.execute(f"REVOKE TRUNCATE ON drafts FROM {_APPLICATION}")
    op.execute("ALTER TABLE drafts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE drafts FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON drafts USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")
    fence_rows("drafts", "reference = ANY (string_to_array(current_setting('hetao.cases', true), ','))")
    keep_as_written("drafts", ["draft_id", "owner", "programme", "kind", "reference", "key_id", "begun_at"])
