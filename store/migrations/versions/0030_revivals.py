"""Where workflows of cases with something due were looked for; calls by when they are due; ended workflows counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_SETTING = "current_setting('hetao.tenant', true)"
_SEEN = f"CASE WHEN {_SETTING} = '*' THEN true ELSE {_SETTING} = employer_id END"
_COUNTED = "state = 'open' AND (kind = 'defect' OR kind = 'workflow_ended' OR reason = 'signature_invalid')"


def upgrade() -> None:
    """Create the table, the index of what is due, and let alike ended workflows be one incident."""
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "revivals",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("looked_at", moment, nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("looks", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("found", sa.Text()),
        sa.Column("revived_at", moment),
        sa.Column("times", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"], ["registrations.reference"], name=op.f("fk_revivals_reference_registrations")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_revivals")),
    )
    op.create_index("ix_revivals_next_at", "revivals", ["next_at"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON revivals TO {APPLICATION}")
    op.execute("ALTER TABLE revivals ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE revivals FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON revivals USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.create_index("ix_calls_due", "calls", ["at"], postgresql_where=sa.text("state = 'due'"))
    # Wider than before, so that code of before counts on it as well.
    op.drop_index("uq_incidents_repeated", "incidents")
    op.create_index(
        "uq_incidents_repeated",
        "incidents",
        ["kind", "step", "reason", sa.text("coalesce(place, '')"), sa.text("coalesce(reference, '')")],
        unique=True,
        postgresql_where=sa.text(_COUNTED),
    )
