"""Answers of the authority about cases that the register does not have: kept until one has them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0031"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the table, which is the park's alone."""
    op.create_table(
        "lost_answers",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("outcome_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Uuid()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("occurred_at", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("attached_to", sa.Text()),
        sa.Column("proposed_by", postgresql.JSONB(astext_type=sa.Text())),
        sa.Column("proposed_at", _MOMENT),
        sa.Column("decided_by", postgresql.JSONB(astext_type=sa.Text())),
        sa.Column("decided_at", _MOMENT),
        sa.ForeignKeyConstraint(["key_id"], ["data_keys.key_id"], name=op.f("fk_lost_answers_key_id_data_keys")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_lost_answers")),
        sa.UniqueConstraint(
            "reference", "destination", "outcome_id", "content_hash", name=op.f("uq_lost_answers_reference")
        ),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON lost_answers TO {APPLICATION}")
    op.execute("ALTER TABLE lost_answers ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE lost_answers FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON lost_answers USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")
