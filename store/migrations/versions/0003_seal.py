"""The seal: leaves, nodes, checkpoints, cosignatures and stamps beside the ledger, none of which is ever changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
TABLES = ("seal_leaves", "seal_nodes", "checkpoints", "cosignatures", "stamps")


def upgrade() -> None:
    """Create the tables and the index by which rows of the ledger are sequenced."""
    _create_tables()
    op.create_index("ix_ledger_sealing", "ledger", ["xid", "chain", "seq"], unique=False)
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APPLICATION}")
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """)
        op.execute(f"""
            CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def _create_tables() -> None:
    op.create_table(
        "seal_leaves",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_seal_leaves")),
        sa.UniqueConstraint("chain", "seq", name=op.f("uq_seal_leaves_chain_seq")),
    )
    op.create_table(
        "seal_nodes",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_seal_nodes")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "cosignatures",
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("stated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tree_size"], ["checkpoints.tree_size"], name=op.f("fk_cosignatures_tree_size")),
        sa.PrimaryKeyConstraint("tree_size", "witness", name=op.f("pk_cosignatures")),
    )
    op.create_table(
        "stamps",
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("stated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tree_size"], ["checkpoints.tree_size"], name=op.f("fk_stamps_tree_size")),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("pk_stamps")),
    )
