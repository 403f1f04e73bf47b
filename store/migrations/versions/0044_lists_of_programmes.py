"""Lists are of one programme: their indexes have it, so that a small one in a large register is found at once.

Without it, a page of 200 cases among 100,000 of another programme passed over all of these.
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0042"
branch_labels = None
depends_on = None

_SHOWN_STAGE: sa.ColumnClause[object] = sa.literal_column(
    "(CASE WHEN stage = 'awaiting_confirmation' OR stage = 'approved' AND NOT settled"
    " THEN 'under_review' ELSE stage END)"
)
_CHANGED = ("updated_at", "reference")
_INDEXES: dict[str, list[str | sa.ColumnClause[object]]] = {
    "ix_cases_employer_updated": ["employer_id", "programme", *_CHANGED],
    "ix_cases_shown_stage": ["employer_id", "programme", _SHOWN_STAGE, *_CHANGED],
    # The stage comes first for the figures, which count all programmes together.
    "ix_cases_stage": ["stage", "programme", *_CHANGED],
    "ix_cases_updated": ["programme", *_CHANGED],
}


def upgrade() -> None:
    """Make the indexes of the lists anew."""
    for name, columns in _INDEXES.items():
        op.drop_index(name, "cases")
        op.create_index(name, "cases", columns)
