"""The pace of work that nobody waits for: half of the time, so that whoever asks meanwhile finds room beside it."""

import asyncio


async def rest(begun: float) -> None:
    """Sleep for as long as was worked since `begun`, which is a time of the loop's clock."""
    await asyncio.sleep(asyncio.get_running_loop().time() - begun)
