"""Once only: what is taken over from one case into another of the same person, and by whose consent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import fence_rows, keep_as_written

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

_APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_FENCE = "string_to_array(current_setting('hetao.cases', true), ',')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)
_AS_AGREED = (
    "takeover_id",
    "from_reference",
    "from_item",
    "from_evidence",
    "to_reference",
    "to_item",
    "consent",
    "consented_at",
)


def upgrade() -> None:
    """Make the table and close it: its rows are of no employer, and a person adds and takes back what they release."""
    op.create_table(
        "takeovers",
        sa.Column("takeover_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("from_reference", sa.Text(), nullable=False),
        sa.Column("from_item", sa.Text(), nullable=False),
        sa.Column("from_evidence", sa.Integer(), nullable=False),
        sa.Column("to_reference", sa.Text(), nullable=False),
        sa.Column("to_item", sa.Text(), nullable=False),
        sa.Column("to_evidence", sa.Integer()),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("consented_at", _MOMENT, nullable=False),
        sa.Column("taken_at", _MOMENT),
        sa.Column("over_at", _MOMENT),
        sa.CheckConstraint("state IN ('released', 'withdrawn', 'taken', 'fallen')", name=op.f("ck_takeovers_state")),
        sa.CheckConstraint("consent IN ('person', 'employer')", name=op.f("ck_takeovers_consent")),
        sa.PrimaryKeyConstraint("takeover_id", name=op.f("pk_takeovers")),
        *(
            sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_takeovers_{column}_{to.split('.')[0]}"))
            for column, to in (
                ("person_id", "persons.person_id"),
                ("from_reference", "cases.reference"),
                ("to_reference", "cases.reference"),
            )
        ),
    )
    op.create_index("ix_takeovers_to", "takeovers", ["to_reference"])
    # Of one fact one consent for an item stands; found by the case that vouches, when what it vouched for falls.
    op.create_index(
        "uq_takeovers_standing",
        "takeovers",
        ["from_reference", "from_item", "from_evidence", "to_reference", "to_item"],
        unique=True,
        postgresql_where=sa.text("state IN ('released', 'taken')"),
    )
    _close()


def _close() -> None:
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON takeovers TO {_APPLICATION}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON takeovers FROM {_APPLICATION}")
    op.execute("ALTER TABLE takeovers ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE takeovers FORCE ROW LEVEL SECURITY")
    own = f"{_TENANT} = 'person/' || person_id::text"
    seen = "(SELECT cases_seen('cases'))::text[]"
    op.execute(f"CREATE POLICY tenant ON takeovers USING ({_TENANT} = '*') WITH CHECK ({_TENANT} = '*')")
    op.execute(f"CREATE POLICY person_reads ON takeovers FOR SELECT USING ({own})")
    # That it is taken over, and that it has fallen, is the park's to write.
    op.execute(f"""
        CREATE POLICY person_adds ON takeovers FOR INSERT WITH CHECK ({own} AND state = 'released'
            AND consent = 'person' AND to_evidence IS NULL
            AND from_reference = ANY ({seen}) AND to_reference = ANY ({seen}))
    """)
    op.execute(f"""
        CREATE POLICY person_withdraws ON takeovers FOR UPDATE USING ({own} AND state = 'released')
        WITH CHECK ({own} AND state = 'withdrawn' AND to_evidence IS NULL)
    """)
    fence_rows("takeovers", f"from_reference = ANY ({_FENCE}) AND to_reference = ANY ({_FENCE})")
    keep_as_written("takeovers", list(_AS_AGREED))
