"""One live case a person and programme: who has a talent permit may ask for a work permit as well."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0040"
branch_labels = None
depends_on = None

_NAME = "uq_cases_live_person"


def upgrade() -> None:
    """Let the index tell programmes apart."""
    op.drop_index(_NAME, "cases")
    op.create_index(_NAME, "cases", ["person_id", "programme"], unique=True, postgresql_where=sa.text("live"))
