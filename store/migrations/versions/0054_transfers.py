"""Changes of employer: what persons agree to, and a case that waits for the one before it to end.

A person still has one live case of a programme; beside it there may be one that follows by a transfer, and the
transaction that ends the one before lets the other take its place, whatever code ends it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import fence_rows, keep_as_written

revision = "0054"
down_revision = "0058"
branch_labels = None
depends_on = None

_APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)
_LIVE = sa.text("live AND follows IS NULL")
_FOLLOWS = sa.text("live AND follows IS NOT NULL")


def upgrade() -> None:
    """Add the table, and the column that is empty for all cases of before."""
    _create_transfers()
    op.add_column("cases", sa.Column("follows", sa.Uuid(), nullable=True))
    op.drop_index("uq_cases_live_person", "cases")
    op.create_index("uq_cases_live_person", "cases", ["person_id", "programme"], unique=True, postgresql_where=_LIVE)
    op.create_index(
        "uq_cases_following_person", "cases", ["person_id", "programme"], unique=True, postgresql_where=_FOLLOWS
    )
    _close()
    _let_follow()


def _create_transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("from_reference", sa.Text(), nullable=False),
        sa.Column("to_employer", sa.Text(), nullable=False),
        sa.Column("to_reference", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("agreed_at", _MOMENT, nullable=False),
        sa.Column("holds_until", _MOMENT, nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=True),
        sa.Column("over_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_transfers")),
        *(
            sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_transfers_{column}_{to.split('.')[0]}"))
            for column, to in (
                ("person_id", "persons.person_id"),
                ("from_reference", "cases.reference"),
                ("to_employer", "employers.employer_id"),
                ("to_reference", "cases.reference"),
            )
        ),
    )
    op.create_index("ix_transfers_person", "transfers", ["person_id", "agreed_at"])
    op.create_index("ix_transfers_from", "transfers", ["from_reference"])
    # Of a case one transfer is under way at a time.
    op.create_index(
        "uq_transfers_taken", "transfers", ["from_reference"], unique=True, postgresql_where=sa.text("state = 'taken'")
    )


def _close() -> None:
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON transfers TO {_APPLICATION}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON transfers FROM {_APPLICATION}")
    op.execute("ALTER TABLE transfers ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE transfers FORCE ROW LEVEL SECURITY")
    own = f"{_TENANT} = 'person/' || person_id::text"
    op.execute(f"CREATE POLICY tenant ON transfers USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")
    op.execute(f"CREATE POLICY person_reads ON transfers FOR SELECT USING ({own})")
    # What becomes of an agreement once a registration was taken by it is the park's to write.
    op.execute(f"""
        CREATE POLICY person_adds ON transfers FOR INSERT WITH CHECK ({own} AND state = 'agreed'
            AND to_reference IS NULL AND from_reference = ANY ((SELECT cases_seen('cases'))::text[]))
    """)
    op.execute(f"""
        CREATE POLICY person_withdraws ON transfers FOR UPDATE USING ({own} AND state = 'agreed')
        WITH CHECK ({own} AND state = 'withdrawn' AND to_reference IS NULL)
    """)
    fence_rows("transfers", "from_reference = ANY (string_to_array(current_setting('hetao.cases', true), ','))")
    keep_as_written(
        "transfers", ["transfer_id", "programme", "from_reference", "to_employer", "agreed_at", "holds_until"]
    )


def _let_follow() -> None:
    op.execute("""
        CREATE FUNCTION let_follow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE cases c SET follows = NULL FROM transfers t
            WHERE t.from_reference = NEW.reference AND c.follows = t.transfer_id AND c.live;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER followed AFTER UPDATE ON cases FOR EACH ROW WHEN (OLD.live AND NOT NEW.live)
        EXECUTE FUNCTION let_follow()
    """)
