"""Stamps of the seal: once a day the newest checkpoint is stamped by an authority that knows nothing of us."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import httpx
import structlog

from activities.timestamps import TimestampAuthority
from cases.shared.context import Context
from domain.errors import Unavailable
from record.seal.stamps import find_unstamped, keep_stamp

EVERY: Final = timedelta(days=1)
_LOOK_EVERY_SECONDS: Final = 600.0
_log = structlog.get_logger(__name__)


async def stamp_newest(context: Context, authority: TimestampAuthority) -> bool:
    """Have the newest checkpoint stamped where a stamp is due; no transaction is open while the authority is asked."""
    due = await find_unstamped(context, EVERY)
    if due is None:
        return False
    size, text = due
    token, stated_at = await authority.stamp(text.encode())
    await keep_stamp(context, size, token, stated_at)
    return True


async def keep_stamping(context: Context, url: str | None, *, is_stopping: Callable[[], bool]) -> None:
    """Stamp until the worker stops; nothing where no authority is set."""
    if url is None:
        return
    async with httpx.AsyncClient(follow_redirects=False) as client:
        authority = TimestampAuthority(url, client)
        while not is_stopping():
            try:
                await stamp_newest(context, authority)
            except Unavailable as error:
                _log.warning("stamp_failed", reason=error.reason)
            except Exception as error:  # noqa: BLE001 - an error of one round must not end the stamps
                _log.error("stamp_failed", reason=type(error).__name__)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
