"""Signed messages to the API, kept in a stand-in's books until they are taken or refused."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

from sandbox.standins.books import Books

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, lane TEXT NOT NULL, body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next_attempt REAL NOT NULL, status INTEGER, done_at REAL
);
CREATE INDEX IF NOT EXISTS outbox_open ON outbox (lane, seq) WHERE done_at IS NULL;
"""
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 10.0
TIMEOUT_SECONDS = 10.0
AT_ONCE = 8
POLL_SECONDS = 0.1
# Refusals that a later attempt may not meet: time-out, a same message still worked on, too early, too many.
PASSING = frozenset({408, 409, 425, 429})


class Outbox:
    """Messages in lanes: those of one lane go out one after the other, lanes side by side."""

    def __init__(
        self, books: Books, url: str, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._books = books
        self._url = url
        self._webhook = Webhook(secret)
        self._clock = clock
        self._sending: set[asyncio.Task[None]] = set()
        self._lanes: set[str] = set()
        self._paused = False

    def add(self, lane: str, body: Mapping[str, Any], *, message_id: str | None = None) -> str:
        """Put a message into the books, within the caller's transaction, and return its message id."""
        name = message_id or f"msg_{uuid.uuid4().hex}"
        self._books.execute(
            "INSERT INTO outbox (message_id, lane, body, next_attempt) VALUES (?, ?, ?, ?)",
            name,
            lane,
            json.dumps(body, ensure_ascii=False),
            time.time(),
        )
        return name

    def pause(self, paused: bool) -> None:
        """Hold messages back, or let them go again."""
        self._paused = paused

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            try:
                while True:
                    for row in [] if self._paused else self._due():
                        self._lanes.add(row["lane"])
                        task = asyncio.create_task(self._send(client, row))
                        self._sending.add(task)
                        task.add_done_callback(self._sending.discard)
                    await asyncio.sleep(POLL_SECONDS)
            finally:
                for task in self._sending:
                    task.cancel()

    def _due(self) -> list[dict[str, Any]]:
        room = AT_ONCE - len(self._sending)
        if room <= 0:
            return []
        rows = self._books.rows(
            "SELECT * FROM outbox WHERE seq IN (SELECT min(seq) FROM outbox WHERE done_at IS NULL GROUP BY lane)"
            " AND next_attempt <= ? ORDER BY seq",
            time.time(),
        )
        return [row for row in rows if row["lane"] not in self._lanes][:room]

    async def _send(self, client: httpx.AsyncClient, row: dict[str, Any]) -> None:
        try:
            status, wait = await self._attempt(client, row)
        finally:
            self._lanes.discard(row["lane"])
        attempts = row["attempts"] + 1
        if status is not None and status < 500 and status not in PASSING:
            self._books.execute(
                "UPDATE outbox SET attempts = ?, status = ?, done_at = ? WHERE seq = ?",
                attempts,
                status,
                time.time(),
                row["seq"],
            )
            return
        pause = min(max(wait, FIRST_RETRY_SECONDS * 2 ** min(row["attempts"], 8)), LONGEST_RETRY_SECONDS)
        self._books.execute(
            "UPDATE outbox SET attempts = ?, status = ?, next_attempt = ? WHERE seq = ?",
            attempts,
            status,
            time.time() + pause,
            row["seq"],
        )

    async def _attempt(self, client: httpx.AsyncClient, row: dict[str, Any]) -> tuple[int | None, float]:
        now = self._clock().astimezone(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": row["message_id"],
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(row["message_id"], now, row["body"]),
        }
        try:
            answer = await client.post(self._url, content=row["body"].encode(), headers=headers)
        except httpx.HTTPError:
            return None, 0.0
        wait = answer.headers.get("retry-after", "0")
        return answer.status_code, float(wait) if wait.isdigit() else 0.0
