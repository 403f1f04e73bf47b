"""The API key of Temporal: where a file of the SDK's names it (`TEMPORAL_CONFIG_FILE`), a new one is taken up."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from temporalio.client import Client

from domain.errors import SettingError
from temporal.client import connect_config

EVERY: Final = 15.0
_log = structlog.get_logger(__name__)


async def keep_reading_key(client: Client, *, is_stopping: Callable[[], bool], every: float = EVERY) -> None:
    """Give a client the key that the settings name now, until told to stop; calls and polls under way keep theirs."""
    while not is_stopping():
        await asyncio.sleep(every)
        try:
            key = (await asyncio.to_thread(connect_config)).get("api_key")
        except SettingError:
            continue  # the file is just being written; whoever starts with one like it says so
        if key is not None and key != client.api_key:
            client.api_key = key
            _log.info("api_key_changed")
