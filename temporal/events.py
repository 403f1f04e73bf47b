"""Waiting for whichever of several events comes first, or for a while."""

import asyncio


async def first_of(*events: asyncio.Event, within: float | None = None) -> None:
    """Wait until one of these is set, or the seconds are over."""
    waiting = [asyncio.create_task(each.wait()) for each in events]
    try:
        await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
