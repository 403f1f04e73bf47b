"""Sends mail by SMTP, one connection for a batch."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

import aiosmtplib

from activities.mime import OutgoingMail as OutgoingMail
from activities.mime import Writer, message_id
from activities.outward import Permanent, SendResult, Sent, Temporary

TIMEOUT_SECONDS: Final = 30.0
IMPLICIT_TLS_PORT: Final = 465  # RFC 8314, section 3.3
_OUT_OF_SPACE: Final = 552  # the message is larger than the relay takes: RFC 1870, section 6.1
_PERMANENT_FROM: Final = 500


class MailSender:
    """Hands mail to a relay; only a verdict on the recipient or the message is permanent.

    Network, TLS, sign-in and sender troubles are the relay's or ours, so the mail waits for them to be mended.
    """

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        username: str | None = None,
        password: str | None = None,
        starttls: bool = True,
        timeout: float = TIMEOUT_SECONDS,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._writer = host, port, Writer(sender)
        self._username, self._password = username, password
        self._starttls, self._timeout, self._tls = starttls, timeout, tls_context

    async def send(self, mail: OutgoingMail) -> SendResult:
        """Send one mail on a connection of its own."""
        results = [result async for result in self.send_each([mail])]
        return results[0]

    async def send_each(self, mails: Sequence[OutgoingMail]) -> AsyncIterator[SendResult]:
        """Yield a result for each mail in order, as soon as it is known.

        Once no connection can be made, the rest is temporary without a further try.
        """
        connection: aiosmtplib.SMTP | None = None
        failure: Temporary | None = None
        try:
            for mail in mails:
                if failure is None and (connection is None or not connection.is_connected):
                    connection, failure = await self._connect()
                if failure is not None or connection is None:
                    yield failure or Temporary("smtp_unreachable")
                    continue
                result, usable = await self._send_on(connection, mail)
                if not usable:
                    connection.close()
                yield result
        finally:
            if connection is not None:
                await take_leave(connection)

    async def _connect(self) -> tuple[aiosmtplib.SMTP | None, Temporary | None]:
        """Return a connection that is ready, or why there is none."""
        connection = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._port == IMPLICIT_TLS_PORT,
            start_tls=self._starttls and self._port != IMPLICIT_TLS_PORT,
            timeout=self._timeout,
            local_hostname=self._writer.domain,
            tls_context=self._tls,
        )
        try:
            await connection.connect()
            await _greet(connection)
        except aiosmtplib.SMTPAuthenticationError:
            return None, Temporary("smtp_sign_in_refused")
        except aiosmtplib.SMTPResponseException as error:
            return None, Temporary(f"smtp_{error.code}")
        except (aiosmtplib.SMTPException, OSError, ValueError):
            return None, Temporary("smtp_unreachable")
        return connection, None

    async def _send_on(self, connection: aiosmtplib.SMTP, mail: OutgoingMail) -> tuple[SendResult, bool]:
        """Return the result of one mail, and whether the connection can be used again."""
        takes_8bit = connection.supports_extension("8BITMIME")
        options = ["BODY=8BITMIME"] if takes_8bit else []
        if not (mail.to + self._writer.address).isascii():
            options.append("SMTPUTF8")
        try:
            content = self._writer.write(mail, takes_8bit=takes_8bit)
        except (ValueError, UnicodeError):
            return Permanent("mail_malformed"), True
        try:
            await connection.sendmail(self._writer.address, [mail.to], content, mail_options=options)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _verdict(error.recipients[0].code), True
        except aiosmtplib.SMTPSenderRefused as error:
            too_large = error.code == _OUT_OF_SPACE
            return (Permanent("smtp_552") if too_large else Temporary(f"smtp_sender_{error.code}")), True
        except aiosmtplib.SMTPResponseException as error:
            return _verdict(error.code), True
        except aiosmtplib.SMTPNotSupported:
            return Permanent("smtp_address_unsupported"), True
        except aiosmtplib.SMTPTimeoutError:
            return Temporary("timeout"), False
        except (aiosmtplib.SMTPException, OSError):
            return Temporary("connection_lost"), False
        except ValueError:
            return Permanent("mail_malformed"), False
        return Sent(message_id(mail.delivery_id, self._writer.domain)), True


def _verdict(code: int) -> SendResult:
    """Return what a reply code of the relay means for the mail (RFC 5321, section 4.2.1)."""
    return Permanent(f"smtp_{code}") if code >= _PERMANENT_FROM else Temporary(f"smtp_{code}")


async def _greet(connection: aiosmtplib.SMTP) -> None:
    """Learn what the relay can do, where signing in did not already; an old relay only knows HELO."""
    if connection.is_ehlo_or_helo_needed:
        try:
            await connection.ehlo()
        except aiosmtplib.SMTPHeloError:
            await connection.helo()


async def take_leave(connection: aiosmtplib.SMTP) -> None:
    """End a connection; what was sent stays sent whatever the relay says to the farewell."""
    with suppress(aiosmtplib.SMTPException, OSError):
        if connection.is_connected:
            await connection.quit()
    connection.close()
