"""Connections to the mail relay, a few of which are kept between batches."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import aiosmtplib

# Longer than a busy channel takes from batch to batch, and below the ten seconds after which Postfix under load ends a
# quiet session (five minutes else: RFC 5321, section 4.5.3.2.7). A channel with nothing to send holds nothing.
REST_SECONDS: Final = 5.0
# What was sent is sent whatever the relay says to the farewell, so that nobody waits long for it.
_FAREWELL_SECONDS: Final = 2.0


class RelayConnection(aiosmtplib.SMTP):
    """A connection that knows whether it was kept, and whether the content of its last mail was begun."""

    is_kept = False
    is_begun = False

    async def data(self, *args: Any, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        """Hand over the content; from here on only the relay knows whether it has the mail."""
        self.is_begun = True
        return await super().data(*args, **kwargs)

    async def leave(self) -> None:
        """Say farewell and close."""
        try:
            with suppress(aiosmtplib.SMTPException, OSError):
                if self.is_connected:
                    await self.quit(timeout=_FAREWELL_SECONDS)
        finally:
            self.close()


class KeptConnections:
    """Connections that rest between batches, each in the hands of one batch or of none."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._resting: dict[RelayConnection, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def take(self) -> RelayConnection | None:
        """Return the connection that was used last and is not known to be over, or None."""
        while self._resting:
            connection, timer = self._resting.popitem()
            timer.cancel()
            if connection.is_connected:
                return connection
        return None

    async def put(self, connection: RelayConnection) -> None:
        """Let a connection rest, or leave it where enough of them rest."""
        if len(self._resting) >= self._most:
            await connection.leave()
            return
        connection.is_kept = True
        timer = asyncio.get_running_loop().call_later(self._seconds, self._dismiss, connection)
        self._resting[connection] = timer

    async def aclose(self) -> None:
        """Leave all connections; none rests from now on."""
        self._most = 0
        for connection, timer in list(self._resting.items()):
            timer.cancel()
            self._dismiss(connection)
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _dismiss(self, connection: RelayConnection) -> None:
        """Leave a connection that rests, in the background."""
        del self._resting[connection]
        task = asyncio.get_running_loop().create_task(connection.leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
