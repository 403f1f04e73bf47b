"""What the mail sink says of the mails that reached it."""

from collections import Counter
from typing import Final

import httpx

from bench.servers import Servers

_AT_ONCE: Final = 1_000


async def count(servers: Servers) -> int:
    """Return how many mails it took so far; they are numbered from one."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        return int((await http.get(servers.stack.url("mail") + "/sandbox/books")).raise_for_status().json()["mail"])


async def mails(servers: Servers, *, after: int = 0) -> Counter[str]:
    """Return how often it took each delivery after so many mails, by the id in its Message-ID."""
    taken: Counter[str] = Counter()
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        while True:
            query = {"after": after, "limit": _AT_ONCE}
            page = (await http.get(servers.stack.url("mail") + "/messages", params=query)).raise_for_status().json()
            taken.update(mail["message_id"].strip("<>").partition("@")[0] for mail in page)
            if len(page) < _AT_ONCE:
                return taken
            after = max(mail["id"] for mail in page)
