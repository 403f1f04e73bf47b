"""Two answers of the authority under one id: the second contradicts the first, and is kept for an officer."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let an id of an outcome stand twice; that equal answers are kept once is held by their content."""
    op.drop_constraint("uq_answers_outcome_id", "answers", type_="unique")
    op.create_index("ix_answers_outcome_id", "answers", ["outcome_id"])
