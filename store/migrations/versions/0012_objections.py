"""What persons object to: complaints, and disputes of a departure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "objections",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_by", postgresql.JSONB(), nullable=True),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name=op.f("fk_objections_person_id_persons")),
        sa.ForeignKeyConstraint(["key_id"], ["data_keys.key_id"], name=op.f("fk_objections_key_id_data_keys")),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objections")),
    )
    op.create_index("ix_objections_person", "objections", ["person_id", "at"])
    op.create_index(
        "ix_objections_open", "objections", ["due_at", "objection_id"], postgresql_where=sa.text("state = 'open'")
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON objections TO {APPLICATION}")
