"""The HTTP client of the measurements that begin many calls at once."""

from typing import Final

import aiohttp

_IDLE_SECONDS: Final = 2.0  # less than the bare server's five, or a call meets a connection that is being closed


def open_client(address: str, *, patience: float) -> aiohttp.ClientSession:
    """Return a client of one server, with as many connections as there are calls in progress.

    It is aiohttp's, because httpx takes more of the cores than the API does when hundreds of calls are in progress.
    """
    return aiohttp.ClientSession(
        address,
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS),
        timeout=aiohttp.ClientTimeout(patience),
        trust_env=False,
    )
