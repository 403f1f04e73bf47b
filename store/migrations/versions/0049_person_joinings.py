"""Two persons who are one human are joined: who holds whose documents and cases, and under which keys these stay.

Nothing is sealed or hashed anew. What came with a joined person names its key, so that it is readable as before, is
destroyed with the person it came to, and goes back whole should the two not have been one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0049"
down_revision = "0047"
branch_labels = None
depends_on = None

_APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the columns, which are empty for all that is there, and the table."""
    for table in ("cases", "person_documents"):
        op.add_column(table, sa.Column("joined_key", sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_joined_key_data_keys"), table, "data_keys", ["joined_key"], ["key_id"])
    op.create_index("ix_cases_joined", "cases", ["joined_key"], postgresql_where=sa.text("joined_key IS NOT NULL"))
    op.add_column("persons", sa.Column("joined_to", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_persons_joined_to_persons"), "persons", "persons", ["joined_to"], ["person_id"])
    op.create_index("ix_persons_joined", "persons", ["joined_to"], postgresql_where=sa.text("joined_to IS NOT NULL"))
    _create_joinings()
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON person_joinings TO {_APPLICATION}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON person_joinings FROM {_APPLICATION}")
    op.execute("ALTER TABLE person_joinings ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE person_joinings FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON person_joinings USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")


def _create_joinings() -> None:
    op.create_table(
        "person_joinings",
        sa.Column("joining_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Uuid(), nullable=True),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("joined_id", sa.Uuid(), nullable=False),
        sa.Column("kept_reference", sa.Text(), nullable=True),
        sa.Column("joined_reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", postgresql.JSONB(), nullable=False),
        sa.Column("proposed_at", _MOMENT, nullable=False),
        sa.Column("decided_by", postgresql.JSONB(), nullable=True),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('joining', 'parting')", name=op.f("ck_person_joinings_kind")),
        sa.PrimaryKeyConstraint("joining_id", name=op.f("pk_person_joinings")),
        *(
            sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_person_joinings_{column}_{to.split('.')[0]}"))
            for column, to in (
                ("undoes", "person_joinings.joining_id"),
                ("kept_id", "persons.person_id"),
                ("joined_id", "persons.person_id"),
                ("kept_reference", "cases.reference"),
                ("joined_reference", "cases.reference"),
            )
        ),
    )
    waits = sa.text("state = 'proposed'")
    op.create_index("uq_person_joinings_kept", "person_joinings", ["kept_id"], unique=True, postgresql_where=waits)
    op.create_index("uq_person_joinings_joined", "person_joinings", ["joined_id"], unique=True, postgresql_where=waits)
    op.create_index("ix_person_joinings_proposed", "person_joinings", ["proposed_at", "joining_id"])
    op.create_index("ix_person_joinings_pair", "person_joinings", ["joined_id", "kept_id"])
