"""Terms of permits, one after the other: each permit that the authority knows of by number or day is its first.

Answers about a further term, which were kept beside the permit until now, come before the case once more: the deadline
of early answers lets the engine take them.
"""

import sqlalchemy as sa
from alembic import op

from store.case_fences import close_case_table

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"


def upgrade() -> None:
    """Make, close and fill the table."""
    op.create_table(
        "permit_terms",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("authority_number", sa.Text()),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("accepted_on", sa.Date()),
        sa.Column("issued_on", sa.Date()),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("stay_days", sa.SmallInteger()),
        sa.Column("entries", sa.Text()),
        sa.Column("ended_on", sa.Date()),
        sa.Column("end_reason", sa.Text()),
        sa.Column("reason", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_permit_terms_reference")),
        sa.PrimaryKeyConstraint("reference", "destination", "number", name=op.f("pk_permit_terms")),
    )
    close_case_table("permit_terms", key=("destination", "number"))
    # They come of the park's steps, as permits do.
    op.execute(f"CREATE POLICY park_adds ON permit_terms AS RESTRICTIVE FOR INSERT WITH CHECK ({_TENANT} = '*')")
    op.execute("""
        UPDATE declared_parts SET tables = ARRAY(SELECT unnest(tables || 'permit_terms'::text) ORDER BY 1)
        WHERE programme = 'talent_permit' AND part = 'subject'
    """)
    # The owner too is under row-level security.
    op.execute("SELECT set_config('hetao.tenant', '*', true)")
    # What an expired permit was is issued; that its last day is over is reckoned from its dates.
    op.execute("""
        INSERT INTO permit_terms (reference, destination, number, employer_id, stage, authority_number, sent_at,
            accepted_on, issued_on, valid_from, valid_until, stay_days, entries, ended_on, end_reason)
        SELECT reference, destination, 1, employer_id, CASE stage WHEN 'expired' THEN 'issued' ELSE stage END,
            authority_number, sent_at, accepted_on,
            CASE WHEN valid_until IS NOT NULL AND stage NOT IN ('refused', 'revoked') THEN decided_on END,
            valid_from, valid_until, stay_days, entries,
            CASE WHEN stage IN ('refused', 'revoked') THEN decided_on END,
            CASE WHEN stage IN ('refused', 'revoked') THEN stage WHEN stage = 'ended' THEN end_reason END
        FROM permits WHERE stage IS NOT NULL AND (accepted_on IS NOT NULL OR valid_until IS NOT NULL)
    """)
    op.execute("""
        INSERT INTO deadlines (reference, kind, destination, step, employer_id, state, at, provisional)
        SELECT DISTINCT a.reference, 'early_answer', a.destination, 0, a.employer_id, 'waiting', now(), false
        FROM answers a JOIN cases c USING (reference)
        WHERE a.state = 'renewal' AND c.live AND c.erased_at IS NULL
        ON CONFLICT (reference, kind, destination, step) DO UPDATE
        SET state = 'waiting', at = now(), counted_from = NULL, counted_days = NULL, provisional = false
    """)
    op.execute("SELECT set_config('hetao.tenant', '', true)")
