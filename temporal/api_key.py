"""The API key that Temporal asks for (Temporal Cloud, or a proxy that checks one): read from a file, and again.

A key of Temporal Cloud ends after some months, and two of an account may be valid at a time. So a new one is written to
the file while the old one is still good, and every process shows it from its next call on, without a new start.
"""

import asyncio
from pathlib import Path
from typing import Final

import structlog
from temporalio.client import Client

from domain.errors import SettingError
from store.key_file import read_guarded
from temporal.events import first_of

SETTING: Final = "HETAO_TEMPORAL_API_KEY_FILE"
_EVERY: Final = 5.0
_log = structlog.get_logger(__name__)


def read_api_key(path: Path) -> str:
    """Return the key in a file, without what is around it.

    Raises:
        SettingError: when the file cannot be read, others may read it, or it holds no key; never with the key.
    """
    try:
        key = read_guarded(path).decode("ascii").strip()
    except UnicodeDecodeError:
        raise SettingError(f"{SETTING}: {path} holds no API key: it is not plain ASCII") from None
    except ValueError as error:
        raise SettingError(f"{SETTING}: {str(error).removeprefix('key file: ')}") from None
    if not key or any(each.isspace() or not each.isprintable() for each in key):
        raise SettingError(f"{SETTING}: {path} holds no API key: one line with the key alone is wanted")
    return key


async def keep_reading_api_key(
    client: Client, path: Path | None, stopping: asyncio.Event, *, every: float = _EVERY
) -> None:
    """Show Temporal the key of the file as it is now, until the process stops; one that cannot be read changes nothing.

    Without a file there is nothing to do.
    """
    said = ""
    while path is not None and not stopping.is_set():
        try:
            key = await asyncio.to_thread(read_api_key, path)
        except SettingError as error:
            if str(error) != said:
                _log.error("api_key_unreadable", says=str(error))
                said = str(error)
        else:
            said = ""
            if key != client.api_key:
                client.api_key = key
                _log.info("api_key_read")
        await first_of(stopping, within=every)
