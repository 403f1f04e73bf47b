"""Which addresses a webhook may reach: what a host name resolves to, and whether that is public."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from domain.networks import Address, is_public

__all__ = ["Address", "Resolve", "UnresolvedError", "is_public", "resolve"]

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class UnresolvedError(Exception):
    """A host name has no address now."""


async def resolve(host: str, port: int) -> tuple[Address, ...]:
    """Return every address of a host, in the order of the system's resolver."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnresolvedError from error
    texts = dict.fromkeys(str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found)
    return tuple(ip_address(text) for text in texts)
