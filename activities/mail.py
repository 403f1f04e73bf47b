"""Sends mail by SMTP, a batch on one connection, and keeps a few connections for the batches that follow."""

import re
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import Final

import aiosmtplib

from activities.mime import OutgoingMail as OutgoingMail
from activities.mime import Writer, message_id
from activities.outward import Permanent, SendResult, Sent, Temporary
from activities.relay import REST_SECONDS, KeptConnections, RelayConnection

TIMEOUT_SECONDS: Final = 30.0
IMPLICIT_TLS_PORT: Final = 465  # RFC 8314, section 3.3
KEPT_CONNECTIONS: Final = 4  # as many batches as fill the channel's places when each is full
_OUT_OF_SPACE: Final = 552  # the message is larger than the relay takes: RFC 1870, section 6.1
_PERMANENT_FROM: Final = 500
# Class, subject and detail at the beginning of a reply's text (RFC 2034, section 4).
_ENHANCED: Final = re.compile(r"[245]\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.])")
_ADDRESS: Final = "1"  # of RFC 3463, section 3.2; its details 7 and 8 speak of the sender's address
_OF_SENDER: Final = frozenset({"7", "8"})
_TIMED_OUT: Final = Temporary("timeout")


class MailSender:
    """Hands mail to a relay; only a verdict on the recipient's address, or the size of the message, is permanent.

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
        keep: int = KEPT_CONNECTIONS,
        rest: float = REST_SECONDS,
    ) -> None:
        self._host, self._port, self._writer = host, port, Writer(sender)
        self._username, self._password = username, password
        self._starttls, self._timeout, self._tls = starttls, timeout, tls_context
        self._kept = KeptConnections(keep, rest)

    async def aclose(self) -> None:
        """Leave the connections that are kept; none is kept from now on."""
        await self._kept.aclose()

    async def send(self, mail: OutgoingMail) -> SendResult:
        """Send one mail, as a batch of its own."""
        results = [result async for result in self.send_each([mail])]
        return results[0]

    async def send_each(self, mails: Sequence[OutgoingMail]) -> AsyncIterator[SendResult]:
        """Yield a result for each mail in order, as soon as it is known.

        Once no connection can be made, the rest is temporary without a further try.
        """
        connection: RelayConnection | None = None
        failure: Temporary | None = None
        result: SendResult | None = None
        try:
            for mail in mails:
                result, is_again = failure, False
                while result is None:
                    if connection is None or not connection.is_connected:
                        # Again on a new connection only: to try the kept ones in turn may take longer than the lease.
                        opened = (None if is_again else self._kept.take()) or await self._connect()
                        if isinstance(opened, Temporary):
                            result = failure = opened
                            break
                        connection = opened
                    result, is_again = await self._send_on(connection, mail), True
                yield result
        finally:
            if connection is not None:
                await self._part(connection, result)

    async def _part(self, connection: RelayConnection, result: SendResult | None) -> None:
        """Keep the connection after a mail that was sent on it.

        A session that refuses may go on to refuse, and one that was interrupted within a mail is out of step.
        """
        if isinstance(result, Sent) and connection.is_connected:
            await self._kept.put(connection)
        elif result is not None:
            await connection.leave()
        else:
            connection.close()

    async def _connect(self) -> RelayConnection | Temporary:
        """Return a connection that is ready, or why there is none."""
        connection = RelayConnection(
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
            failure = Temporary("smtp_sign_in_refused")
        except aiosmtplib.SMTPResponseException as error:
            failure = Temporary(f"smtp_{error.code}")
        except (aiosmtplib.SMTPException, OSError, ValueError):
            failure = Temporary("smtp_unreachable")
        else:
            return connection
        connection.close()
        return failure

    async def _send_on(self, connection: RelayConnection, mail: OutgoingMail) -> SendResult | None:
        """Return the result of one mail, or None where it is to be sent on another connection.

        A kept connection may be over, or refuse for its age, without a fault of the relay. The mail goes on another one
        as long as its content was not begun, so that it is neither put off nor sent twice.
        """
        takes_8bit = connection.supports_extension("8BITMIME")
        options = ["BODY=8BITMIME"] if takes_8bit else []
        if not (mail.to + self._writer.address).isascii():
            options.append("SMTPUTF8")
        try:
            content = self._writer.write(mail, takes_8bit=takes_8bit)
        except (ValueError, UnicodeError):
            return Permanent("mail_malformed")
        connection.is_begun = False
        result = await self._hand_over(connection, mail.to, content, options)
        if result is None:
            return Sent(message_id(mail.delivery_id, self._writer.domain))
        was_over = connection.is_kept and not connection.is_begun and not connection.is_connected
        # After a time-out too little of the mail's lease is left for another try.
        return None if was_over and isinstance(result, Temporary) and result != _TIMED_OUT else result

    async def _hand_over(
        self, connection: RelayConnection, to: str, content: bytes, options: Sequence[str]
    ) -> Temporary | Permanent | None:
        """Return why the relay did not take a mail, or None; a connection that cannot be used again is closed."""
        try:
            await connection.sendmail(self._writer.address, [to], content, mail_options=options)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _verdict(error.recipients[0], is_about_recipient=True)
        except aiosmtplib.SMTPSenderRefused as error:
            if connection.is_kept:
                connection.close()
            return Permanent("smtp_552") if error.code == _OUT_OF_SPACE else Temporary(f"smtp_sender_{error.code}")
        except aiosmtplib.SMTPResponseException as error:
            return _verdict(error)
        except aiosmtplib.SMTPNotSupported:
            return Permanent("smtp_address_unsupported")
        except aiosmtplib.SMTPTimeoutError:
            connection.close()
            return _TIMED_OUT
        except (aiosmtplib.SMTPException, OSError):
            connection.close()
            return Temporary("connection_lost")
        except ValueError:
            connection.close()
            return Permanent("mail_malformed")
        return None


def _verdict(reply: aiosmtplib.SMTPResponseException, *, is_about_recipient: bool = False) -> Temporary | Permanent:
    """Return what a refusal of the relay means for the mail.

    The enhanced status code decides (RFC 3463): only subject 1 is about an address. Policy and sign-in (7), a full
    mailbox (2.2), the system (3) and the network (4) are troubles that somebody mends, whatever the first digit says.
    Without such a code a refusal for good is the recipient's where it answers RCPT (RFC 5321, section 4.2.1).
    """
    enhanced = _ENHANCED.match(reply.message.lstrip())
    if enhanced is None:
        is_final = is_about_recipient
    else:
        subject, detail = enhanced.groups()
        is_final = subject == _ADDRESS and detail not in _OF_SENDER
    reason = f"smtp_{reply.code}" if enhanced is None else f"smtp_{reply.code}_{enhanced[0]}"
    return Permanent(reason) if is_final and reply.code >= _PERMANENT_FROM else Temporary(reason)


async def _greet(connection: aiosmtplib.SMTP) -> None:
    """Learn what the relay can do, where signing in did not already; an old relay only knows HELO."""
    if connection.is_ehlo_or_helo_needed:
        try:
            await connection.ehlo()
        except aiosmtplib.SMTPHeloError:
            await connection.helo()
