"""The sealer has a role of its own, the only one that adds to the seal; rows of the ledger bear their own time."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
SEALER = "hetao_sealer"
SEAL = "seal_leaves, seal_nodes, checkpoints"


def upgrade() -> None:
    """Take the right to seal from the application, and give it to the sealer with what it needs to seal."""
    op.execute(f"REVOKE INSERT ON {SEAL} FROM {APPLICATION}")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {SEALER}")
    op.execute(f"GRANT SELECT, INSERT ON {SEAL} TO {SEALER}")
    # Rows that were altered before they were sealed are named in the ledger and before the operator.
    op.execute(f"GRANT SELECT, INSERT ON ledger TO {SEALER}")
    op.execute(f"GRANT INSERT ON incidents TO {SEALER}")
    # Neither is covered by the row's hash, and a row that names a transaction to come is never sealed.
    op.execute("""
        CREATE POLICY own_transaction ON ledger AS RESTRICTIVE FOR INSERT
        WITH CHECK (xid = (pg_current_xact_id()::text)::bigint
            AND recorded_at BETWEEN transaction_timestamp() AND clock_timestamp())
    """)
