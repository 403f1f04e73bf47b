"""Alike incidents are one cause; the engine says why it closed one; all cases of a cause go on at one word."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STEP = "CASE WHEN kind = 'history_missing' THEN split_part(step, '/', 1) ELSE step END"
REASON = (
    "CASE WHEN kind = 'record_differs' AND step <> 'not_compared' THEN ''"
    " WHEN kind = 'history_missing' THEN CASE WHEN reason LIKE '% unreadable' THEN 'unreadable' ELSE '' END"
    " ELSE split_part(reason, ':', 1) END"
)
PLACE = "regexp_replace(coalesce(place, ''), ':[0-9]+', '')"
CAUSE = f"md5(kind || chr(31) || ({STEP}) || chr(31) || ({REASON}) || chr(31) || ({PLACE}))::uuid"


def upgrade() -> None:
    """Add the columns; the generated ones are computed for the rows of before as well."""
    for name, type_, rule in (
        ("cause_step", sa.Text(), STEP),
        ("cause_reason", sa.Text(), REASON),
        ("cause_place", sa.Text(), PLACE),
        ("cause_id", sa.Uuid(), CAUSE),
    ):
        op.add_column("incidents", sa.Column(name, type_, sa.Computed(rule, persisted=True)))
    op.add_column("incidents", sa.Column("closed_reason", sa.Text()))
    op.add_column("incidents", sa.Column("resume_asked_at", postgresql.TIMESTAMP(timezone=True)))
    op.add_column("incidents", sa.Column("resume_asked_by", postgresql.JSONB()))
    op.add_column("incidents", sa.Column("still_wrong", sa.Text()))
    op.create_index("ix_incidents_cause", "incidents", ["cause_id", "state", "at", "incident_id"])
    op.create_index(
        "ix_incidents_resuming",
        "incidents",
        ["resume_asked_at", "incident_id"],
        postgresql_where=sa.text("state = 'open' AND resume_asked_at IS NOT NULL"),
    )
    _close_what_is_mended()


def _close_what_is_mended() -> None:
    """Close the lines of differences that an earlier night no longer found: until now an operator had to."""
    # The owner too is under row-level security.
    op.execute("SELECT set_config('hetao.tenant', '*', true)")
    op.execute("""
        UPDATE incidents i SET state = 'ended', resumed_at = d.gone_at, resumed_by = 'reconcile_cases',
            closed_reason = 'difference_gone'
        FROM differences d WHERE d.difference_id = i.incident_id AND d.gone_at IS NOT NULL AND i.state = 'open'
    """)
    op.execute("SELECT set_config('hetao.tenant', '', true)")
