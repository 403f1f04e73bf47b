"""A small HTTP server that keeps what it is sent and answers as told."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """Takes signed messages; `statuses` are the answers to those about a case in turn, then 200."""

    statuses: dict[str, list[int]] = field(default_factory=dict)
    got: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, _, body in self.got]

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        await self._server.wait_closed()

    async def wait_for(self, count: int, *, about: str | None = None) -> list[dict[str, Any]]:
        def found() -> list[dict[str, Any]]:
            return [body for body in self.bodies if about in (None, body.get("case"), body.get("id"))]

        async with asyncio.timeout(15), self._arrived:
            await self._arrived.wait_for(lambda: len(found()) >= count)
        return found()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
            raw = await reader.readexactly(int(headers.get("content-length", 0)))
            Webhook(SECRET).verify(raw, headers)
            body = json.loads(raw)
            planned = self.statuses.get(body.get("case", ""), [])
            status = planned.pop(0) if planned else 200
            self.got.append((lines[0].split()[1], headers | {":status": str(status)}, body))
            async with self._arrived:
                self._arrived.notify_all()
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
