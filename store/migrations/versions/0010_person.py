"""The person's own sign-in: one-time links and the sessions that they open."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"


def upgrade() -> None:
    """Create the tables of links and sessions."""
    op.create_table(
        "sign_in_links",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        _moment("at", nullable=False),
        _moment("expires_at", nullable=False),
        _moment("ended_at"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.person_id"], name=op.f("fk_sign_in_links_person_id_persons")),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_sign_in_links")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_sign_in_links_link_hash")),
    )
    op.create_index("ix_sign_in_links_person", "sign_in_links", ["person_id", "at"])
    op.create_table(
        "person_sessions",
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        _moment("at", nullable=False),
        _moment("expires_at", nullable=False),
        _moment("ended_at"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.person_id"], name=op.f("fk_person_sessions_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_person_sessions")),
    )
    op.create_index("ix_person_sessions_person", "person_sessions", ["person_id", "at"])
    for table in ("sign_in_links", "person_sessions"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION}")


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)
