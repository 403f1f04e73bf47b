"""Writes a mail as bytes: text and HTML side by side, headers that any reader takes, lines that any relay takes.

`email.message` parses and folds every header that it is given and costs more than all else that sending a mail takes;
a notice has few headers, and all but two are ours.
"""

import base64
import re
from collections.abc import Iterator
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_CRLF: Final = "\r\n"
_LINE_LIMIT: Final = 998  # octets without CRLF: RFC 5322, section 2.1.1
_LINE_ENDS: Final = re.compile("\r\n|\r|\n")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_ADDRESS: Final = re.compile(r'[\s<>(),;:\\"\[\]]')


class OutgoingMail(BaseModel):
    """One mail; a repeat of the same delivery carries the same Message-ID."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    delivery_id: str
    to: str = Field(repr=False)
    subject: str
    text: str = Field(repr=False)
    html: str | None = Field(default=None, repr=False)
    language: str
    at: AwareDatetime


class Writer:
    """Writes the mails of one sender."""

    def __init__(self, sender: str) -> None:
        name, self.address = parseaddr(sender)
        self.domain = self.address.rpartition("@")[2] or "localhost"
        if name.isascii() and self.address.isascii():
            self._from = formataddr((name, self.address))
        else:
            self._from = f"{Header(name, 'utf-8', header_name='From').encode(linesep=_CRLF)} <{self.address}>".strip()

    def write(self, mail: OutgoingMail, *, takes_8bit: bool) -> bytes:
        """Return a mail as it goes over the wire, in 8-bit lines only for a relay that takes them.

        Raises:
            ValueError: when a header could not be told from two.
        """
        if _NOT_IN_ADDRESS.search(mail.to) or _UNPRINTABLE.search(mail.delivery_id):
            raise ValueError("mail header malformed")
        lines = [
            f"From: {self._from}",
            # An address beyond ASCII goes as it is, since only relays that take SMTPUTF8 (RFC 6532) get it.
            f"To: {mail.to}",
            f"Subject: {_encoded(mail.subject)}",
            f"Date: {format_datetime(mail.at)}",
            f"Message-ID: <{message_id(mail.delivery_id, self.domain)}>",
            "Auto-Submitted: auto-generated",  # RFC 3834: no holiday notes in answer
            f"Content-Language: {mail.language}",
            "MIME-Version: 1.0",
        ]
        head = _CRLF.join(lines).encode() + b"\r\n"
        return head + b"\r\n".join(_body(mail, takes_8bit=takes_8bit))


def message_id(delivery_id: str, domain: str) -> str:
    """Return the Message-ID of a delivery without its brackets: it tells a repeat, and receipts name it."""
    return f"{delivery_id}@{domain}"


def _body(mail: OutgoingMail, *, takes_8bit: bool) -> Iterator[bytes]:
    """Yield the lines of the body from its own headers on."""
    if mail.html is None:
        yield _part("plain", mail.text, takes_8bit=takes_8bit)
        return
    boundary = f"=_{mail.delivery_id}"
    # No line of base64 can look like a boundary.
    takes_8bit = takes_8bit and boundary not in mail.text and boundary not in mail.html
    yield f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode()
    for subtype, text in (("plain", mail.text), ("html", mail.html)):
        yield f"--{boundary}".encode()
        yield _part(subtype, text, takes_8bit=takes_8bit)
    yield f"--{boundary}--\r\n".encode()


def _part(subtype: str, text: str, *, takes_8bit: bool) -> bytes:
    """Return one shape of the text with its headers."""
    content = _LINE_ENDS.sub(_CRLF, text).encode()
    coding = "7bit" if content.isascii() else "8bit"
    is_plain = takes_8bit or coding == "7bit"
    if not is_plain or b"\0" in content or max(map(len, content.split(b"\r\n"))) > _LINE_LIMIT:
        coding, content = "base64", base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {coding}\r\n\r\n'
    return head.encode() + content


def _encoded(subject: str) -> str:
    """Return a subject in encoded words where it needs them, folded."""
    if _UNPRINTABLE.search(subject):
        raise ValueError("mail header malformed")
    if subject.isascii() and len(subject) < _LINE_LIMIT - len("Subject: "):
        return subject
    return Header(subject, "utf-8", header_name="Subject").encode(linesep=_CRLF)
