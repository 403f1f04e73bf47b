"""Which keys of the service are known where, and an order in which data keys are wrapped again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
TENANT = "coalesce(current_setting('hetao.tenant', true), '')"


def _moment(name: str, *, null: bool = True, default: sa.TextClause | None = None) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=null, server_default=default)


def upgrade() -> None:
    """Create both tables, closed to employers; the first process that starts fills them from its key file."""
    now = sa.text("clock_timestamp()")
    op.create_table(
        "service_keys",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _moment("known_at", null=False, default=now),
        _moment("current_at"),
        _moment("retired_at"),
        _moment("used_at"),
        sa.PrimaryKeyConstraint("kind", "key_id", name=op.f("pk_service_keys")),
    )
    op.create_index(
        "uq_service_keys_current", "service_keys", ["kind"], unique=True, postgresql_where=sa.text("state = 'current'")
    )
    op.create_table(
        "key_holders",
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holds", postgresql.JSONB(), nullable=False),
        _moment("seen_at", null=False, default=now),
        _moment("recorded_at", null=False, default=now),
        sa.PrimaryKeyConstraint("holder_id", name=op.f("pk_key_holders")),
    )
    for table in ("service_keys", "key_holders"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT} = '*') WITH CHECK ({TENANT} = '*')")
    # By the key that wraps them: what is left under an old one is counted, and wrapped again in order.
    op.create_index(
        "ix_data_keys_kek", "data_keys", ["kek_id", "key_id"], postgresql_where=sa.text("wrapped IS NOT NULL")
    )
