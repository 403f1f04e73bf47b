"""What runs once for all, made sure of again and again: the workflows of the channels and the Schedules."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.exceptions import TemporalError

from temporal.events import first_of
from temporal.traces import unrecorded
from workflows.archive import ensure_archive
from workflows.authority_poll import ensure_authority_poll
from workflows.notification import ensure_notification_workflows
from workflows.reconciliation import ensure_reconciliation
from workflows.retention import ensure_retention
from workflows.seal_check import ensure_seal_check

EVERY: Final = 60.0
AGAIN: Final = 5.0
_log = structlog.get_logger(__name__)


async def ensure_all(client: Client) -> None:
    """Start each channel's workflow that does not run, and bring each Schedule to what the code says."""
    with unrecorded():
        await ensure_notification_workflows(client)
    await ensure_authority_poll(client)
    await ensure_archive(client)
    await ensure_reconciliation(client)
    await ensure_retention(client)
    await ensure_seal_check(client)


async def keep_ensuring(
    client: Client,
    *,
    is_stopping: Callable[[], bool],
    back: asyncio.Event | None = None,
    every: float = EVERY,
    again: float = AGAIN,
) -> None:
    """Make sure until the worker stops; neither a Temporal that was lost nor a hand in its web UI ends one for good.

    `back` says that Temporal was away and is there again, maybe an empty one: then it is made sure of at once.
    """
    back = back or asyncio.Event()
    while not is_stopping():
        back.clear()
        pause = every
        try:
            await ensure_all(client)
        except (TemporalError, TimeoutError, RuntimeError, OSError) as error:
            _log.info("temporal_away", step="ensure", error=type(error).__name__)
            pause = again
        except Exception as error:  # noqa: BLE001 - an error of one round must not end the others
            _log.error("ensure_failed", error=type(error).__name__)
        await first_of(back, within=pause)
