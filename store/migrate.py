"""Bringing a database to the newest schema, as its owner."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def configuration(owner_url: str) -> Config:
    """Return Alembic's configuration for this database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = owner_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    return config


def upgrade(owner_url: str) -> None:
    """Apply every migration that the database lacks; applying none is fine.

    Raises:
        ClusterNotReadyError: where the superuser has to make something first; nothing was changed.
    """
    command.upgrade(configuration(owner_url), "head")
