"""The books of the sinks: every mail, SMS and webhook that arrived, and the receipts sent for them."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from email import message_from_bytes, policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, Final

from domain.clock import CHINA
from sandbox.standins import outbox
from sandbox.standins.books import Books
from sandbox.standins.moods import Mood, count_met

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    subject TEXT NOT NULL, raw BLOB NOT NULL, received_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS mails_message ON mails (message_id);
CREATE TABLE IF NOT EXISTS mail_recipients (mail INTEGER NOT NULL, recipient TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mail_recipients_by_name ON mail_recipients (recipient, mail);
CREATE TABLE IF NOT EXISTS texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sms_id TEXT UNIQUE NOT NULL, key TEXT UNIQUE NOT NULL,
    recipient TEXT NOT NULL, text TEXT NOT NULL, times INTEGER NOT NULL DEFAULT 1, received_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS hooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, message_id TEXT, headers TEXT NOT NULL,
    body TEXT NOT NULL, received_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS receipts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, about TEXT NOT NULL, status TEXT NOT NULL, due REAL NOT NULL
);
{outbox.SCHEMA}
"""
RECEIPT_SECONDS: Final = 0.2
SLOW_FACTOR: Final = 10
CHANNELS: Final = ("mail", "sms", "hooks")
SMS_ID: Final = "sms_"
_HEADERS: Final = BytesHeaderParser(policy=policy.default)
# Ends of telephone numbers whose SMS is reported as failed.
UNREACHABLE: Final = "0000"


class MailBook:
    """What the sinks hold; each arrival is on disk before it is acknowledged."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(CHINA)) -> None:
        self.books = Books(path, SCHEMA)
        self.outbox: outbox.Outbox | None = None
        self._clock = clock

    def _now(self) -> str:
        return self._clock().astimezone(CHINA).isoformat(timespec="milliseconds")

    def sends_receipts(self, channel: str) -> bool:
        """Whether receipts go out for a channel; by default for SMS, since mail has none by itself."""
        return (self.books.setting(f"receipts.{channel}") or ("yes" if channel == "sms" else "no")) == "yes"

    def take_mail(self, sender: str, recipients: list[str], raw: bytes, mood: Mood = Mood.NORMAL) -> int:
        """Record a mail as it came and return its number."""
        message = _HEADERS.parsebytes(raw)  # The body is read when somebody looks at it.
        message_id = str(message.get("Message-ID", "")).strip().strip("<>")
        with self.books.transaction():
            number = self.books.execute(
                "INSERT INTO mails (message_id, sender, recipients, subject, raw, received_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                message_id,
                sender,
                json.dumps(recipients),
                str(message.get("Subject", "")),
                raw,
                self._now(),
            )
            for recipient in recipients:
                self.books.execute("INSERT INTO mail_recipients VALUES (?, ?)", number, recipient.lower())
            if self.sends_receipts("mail"):
                self._plan_receipt(message_id, "delivered", mood)
        return number

    def mails(self, to: str | None, after: int, limit: int) -> list[dict[str, Any]]:
        """Return mails in the order of arrival, to one address or to all."""
        if to is None:
            rows = self.books.rows("SELECT * FROM mails WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        else:
            rows = self.books.rows(
                "SELECT * FROM mails WHERE id IN (SELECT mail FROM mail_recipients WHERE recipient = ? AND mail > ?)"
                " ORDER BY id LIMIT ?",
                to.lower(),
                after,
                limit,
            )
        return [_shown_mail(row) for row in rows]

    def mail(self, number: int) -> dict[str, Any] | None:
        """Return one mail with its text, its HTML and its source."""
        row = self.books.find("SELECT * FROM mails WHERE id = ?", number)
        return _shown_mail(row) | {"raw": row["raw"].decode(errors="replace")} if row else None

    def message_id(self, number: int) -> str:
        """Return the Message-ID of a mail."""
        return str(
            (self.books.find("SELECT message_id FROM mails WHERE id = ?", number) or {"message_id": ""})["message_id"]
        )

    def is_told_of(self, about: str) -> bool:
        """Whether a receipt about a message was taken."""
        return bool(self.books.rows("SELECT 1 FROM outbox WHERE lane = ? AND done_at IS NOT NULL LIMIT 1", about))

    def text(self, key: str) -> dict[str, Any] | None:
        """Return the SMS taken under an idempotency key."""
        return self.books.find("SELECT * FROM texts WHERE key = ?", key)

    def take_text(self, sms_id: str, key: str, recipient: str, text: str, mood: Mood = Mood.NORMAL) -> None:
        """Record an SMS and plan its receipt."""
        with self.books.transaction():
            self.books.execute(
                "INSERT INTO texts (sms_id, key, recipient, text, received_at) VALUES (?, ?, ?, ?, ?)",
                sms_id,
                key,
                recipient,
                text,
                self._now(),
            )
            if self.sends_receipts("sms"):
                self._plan_receipt(sms_id, "failed" if recipient.endswith(UNREACHABLE) else "delivered", mood)

    def repeat_text(self, key: str) -> None:
        """Count that an SMS was handed in once more."""
        self.books.execute("UPDATE texts SET times = times + 1 WHERE key = ?", key)

    def texts(self, to: str | None, after: int, limit: int) -> list[dict[str, Any]]:
        """Return SMS in the order of arrival, to one number or to all."""
        rows = self.books.rows(
            "SELECT id, sms_id, recipient, text, times, received_at FROM texts"
            " WHERE id > ? AND (? IS NULL OR recipient = ?) ORDER BY id LIMIT ?",
            after,
            to,
            to,
            limit,
        )
        return [row | {"to": row.pop("recipient")} for row in rows]

    def take_hook(self, name: str, headers: Mapping[str, str], body: str) -> int:
        """Record a webhook as it came and return its number."""
        return self.books.execute(
            "INSERT INTO hooks (name, message_id, headers, body, received_at) VALUES (?, ?, ?, ?, ?)",
            name,
            headers.get("webhook-id"),
            json.dumps(dict(headers)),
            body,
            self._now(),
        )

    def hooks(self, name: str | None, after: int, limit: int) -> list[dict[str, Any]]:
        """Return webhooks in the order of arrival, of one address or of all."""
        rows = self.books.rows(
            "SELECT * FROM hooks WHERE id > ? AND (? IS NULL OR name = ?) ORDER BY id LIMIT ?", after, name, name, limit
        )
        return [row | {"headers": json.loads(row["headers"])} for row in rows]

    def plan_receipt(self, about: str, status: str) -> None:
        """Plan a receipt asked for by hand."""
        with self.books.transaction():
            self._plan_receipt(about, status)

    def send_receipts(self, moods: Mapping[str, Mood] | None = None) -> None:
        """Put the receipts that are due into the outbox, as the moods of their channels have it."""
        if self.outbox is None or not self.books.rows("SELECT 1 FROM receipts WHERE due <= ? LIMIT 1", time.time()):
            return
        with self.books.transaction():
            for row in self.books.rows("SELECT * FROM receipts WHERE due <= ? ORDER BY number LIMIT 200", time.time()):
                self.books.execute("DELETE FROM receipts WHERE number = ?", row["number"])
                channel = "sms" if row["about"].startswith(SMS_ID) else "mail"
                mood = (moods or {}).get(channel, Mood.NORMAL)
                if mood in (Mood.DUPLICATING, Mood.OUT_OF_ORDER):
                    count_met(self.books, mood)
                self._send_receipt(self.outbox, row, mood)

    def counts(self) -> dict[str, int]:
        """Return how many messages of each kind arrived."""
        tables = {"mail": "mails", "sms": "texts", "hooks": "hooks"}
        return {
            channel: int((self.books.find(f"SELECT count(*) AS n FROM {table}") or {"n": 0})["n"])
            for channel, table in tables.items()
        }

    def _plan_receipt(self, about: str, status: str, mood: Mood = Mood.NORMAL) -> None:
        if mood is Mood.SLOW:
            count_met(self.books, mood)
        # Out of order, a receipt is ahead of the answer that tells the sender its message was taken.
        seconds = 0.0 if mood is Mood.OUT_OF_ORDER else RECEIPT_SECONDS * (SLOW_FACTOR if mood is Mood.SLOW else 1)
        self.books.execute(
            "INSERT INTO receipts (about, status, due) VALUES (?, ?, ?)", about, status, time.time() + seconds
        )

    def _send_receipt(self, outbox: outbox.Outbox, row: Mapping[str, Any], mood: Mood) -> None:
        """Send a receipt; duplicating, thrice; out of order, with one of an arrival that comes too late to count."""
        body = {"id": row["about"], "status": row["status"], "at": self._now()}
        message_id = outbox.add(row["about"], body)
        if mood is Mood.DUPLICATING:
            outbox.add(row["about"], body, message_id=message_id)
            outbox.add(row["about"], body)
        if mood is Mood.OUT_OF_ORDER:
            outbox.add(row["about"], body | {"status": "delivered"})


def _shown_mail(row: Mapping[str, Any]) -> dict[str, Any]:
    message = message_from_bytes(row["raw"], policy=policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return {
        "id": row["id"],
        "message_id": row["message_id"],
        "from": row["sender"],
        "to": json.loads(row["recipients"]),
        "subject": row["subject"],
        "received_at": row["received_at"],
        "headers": {name: str(value) for name, value in message.items()},
        "text": text.get_content() if text else None,
        "html": html.get_content() if html else None,
    }
