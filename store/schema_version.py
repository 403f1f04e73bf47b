"""The version of the schema: that of this code, and that of a database."""

from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
_READ: Final = text("SELECT version_num FROM alembic_version")


@cache
def own_version() -> str:
    """Return the newest version that this code knows: the number in front of the last migration's name."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


async def database_version(connection: AsyncConnection) -> str | None:
    """Return the version of a database, or None where no migration ran there; numbers are ordered as texts."""
    found: str | None = (await connection.execute(_READ)).scalar_one_or_none()
    return found


def is_older(version: str | None) -> bool:
    """Whether a database is behind this code; one ahead of it serves older code too, while workers are replaced."""
    return version is None or version < own_version()
