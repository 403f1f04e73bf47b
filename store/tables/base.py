"""What all tables share: their metadata, and the columns of a time."""

from sqlalchemy import Column, MetaData, func
from sqlalchemy.dialects.postgresql import TIMESTAMP

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def moment(name: str, *, null: bool = True) -> Column[object]:
    """Return a column for a business time."""
    return Column(name, TIMESTAMP(timezone=True), nullable=null)


def recorded() -> Column[object]:
    """Return the column for the time at which PostgreSQL wrote the row."""
    return Column("recorded_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.clock_timestamp())


def changed(name: str) -> Column[object]:
    """Return the column for the time at which PostgreSQL last wrote the row."""
    return Column(name, TIMESTAMP(timezone=True), nullable=False, server_default=func.clock_timestamp())
