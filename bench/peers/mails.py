"""Mail on connections that a process keeps, since its steps send one mail at a time."""

import asyncio
from typing import Final

import aiosmtplib

from activities.mail import MailSender, OutgoingMail, take_leave
from activities.outward import SendResult, Temporary

# So many connections at most; a mail waits for one of them instead of opening another.
CONNECTIONS: Final = 8


class KeptMail(MailSender):
    """Hands mail to a relay on a few connections that stay open; one that broke is replaced for the next mail.

    A mail whose connection breaks is temporary and never taken for sent: its step fails and is tried again.
    """

    _idle: list[aiosmtplib.SMTP]
    _free: asyncio.Semaphore

    def keep(self) -> None:
        """Begin to keep connections, of the loop that runs."""
        self._idle, self._free = [], asyncio.Semaphore(CONNECTIONS)

    async def send(self, mail: OutgoingMail) -> SendResult:
        """Send one mail on a kept connection."""
        async with self._free:
            connection, failure = await self._usable()
            if connection is None:
                return failure or Temporary("smtp_unreachable")
            usable = False
            try:
                result, usable = await self._send_on(connection, mail)
            finally:
                if usable:
                    self._idle.append(connection)
                else:
                    connection.close()
            return result

    async def aclose(self) -> None:
        """Take leave on all connections."""
        while self._idle:
            await take_leave(self._idle.pop())

    async def _usable(self) -> tuple[aiosmtplib.SMTP | None, Temporary | None]:
        """Return the connection that was used last, or a new one where none is open."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_connected:
                return connection, None
            connection.close()
        return await self._connect()
