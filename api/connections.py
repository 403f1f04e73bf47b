"""One connection of the HTTP server: heads have a deadline and a size, rests of bodies and unread answers an end."""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from api.patience import Patience

Network = IPv4Network | IPv6Network

_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(HttpToolsProtocol):
    """A connection that waits for nobody without end.

    The server itself knows one timeout, that of a connection at rest between two calls. A client that sends half of a
    head, or that never reads its answer, would hold a connection for as long as it likes.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        patience: Patience,
        most: int,
        most_an_address: int,
        proxies: Sequence[Network],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience = patience
        self._most = most
        self._most_an_address = most_an_address
        self._proxies = proxies
        self._in_head = False
        self._has_begun = False
        self._in_body = False
        self._head_bytes = 0
        self._unread_bytes = 0
        self._sending: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head, where there is room for one more connection of this address."""
        super().connection_made(transport)
        if self._is_one_too_many():
            self._end(_FULL)
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        for timer in (self._sending, self._reading):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; the first byte after a call begins the time of the next head."""
        if self.transport.is_closing():
            return
        if not self._in_head and not self._in_body:
            self._await_head()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._patience.head_bytes and not self.transport.is_closing():
                self._end(_LARGE)

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._has_begun = True
        # The bytes before it, of the same piece, belong to the call before.
        self._head_bytes = 0
        if not self._in_head:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End the wait for a head."""
        self._in_head, self._in_body = False, True
        self._wait(None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the wait for the rest of a body that was answered before it was whole."""
        self._in_body = False
        if self._sending is not None:
            self._wait(None)
            self._rest()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to the next call, or wait a while for the rest of this one's body."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._end()
        elif self._in_body and self.cycle.response_complete:
            self._unset_keepalive_if_required()
            self._wait(self.loop.call_later(self._patience.rest_seconds, self._end))

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and end."""
        super().send_400_response(msg)
        self._end()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that rests."""
        self._end()

    def pause_writing(self) -> None:
        """Give the client time to read what it asked for."""
        super().pause_writing()
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self._patience.unread_seconds, self._look_at_reading)

    def resume_writing(self) -> None:
        """Go on sending."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        super().resume_writing()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever asks for another protocol is answered in this one."""

    @property
    def host(self) -> str:
        """The address at the other end."""
        return self.client[0] if self.client else ""

    def _is_one_too_many(self) -> bool:
        if len(self.connections) > self._most:
            return True
        if self._is_proxy(self.host):
            return False
        same = [each for each in self.connections if isinstance(each, Connection) and each.host == self.host]
        return len(same) > self._most_an_address

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def _await_head(self) -> None:
        self._in_head, self._has_begun, self._head_bytes = True, False, 0
        self._wait(self.loop.call_later(self._patience.head_seconds, self._on_late_head))

    def _on_late_head(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            # An earlier call of the connection is being answered; its answer is the last one.
            cycle.keep_alive = False
            return
        self._end(_LATE if self._has_begun else b"")

    def _rest(self) -> None:
        """Let the connection rest after a call that is whole and answered."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _wait(self, timer: asyncio.TimerHandle | None) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = timer

    def _look_at_reading(self) -> None:
        """End a connection whose client reads slower than it may send."""
        unread = self.transport.get_write_buffer_size()
        least = self._patience.unread_seconds * self._patience.bytes_a_second
        if unread and self._unread_bytes - unread < min(least, self._unread_bytes):
            self.transport.abort()
            return
        self._unread_bytes = unread
        self._reading = self.loop.call_later(self._patience.unread_seconds, self._look_at_reading)

    def _end(self, last: bytes = b"") -> None:
        """Close once what is written has been read, and without more ado where nobody reads it."""
        if last:
            self.transport.write(last)
        self.transport.close()
        self._wait(self.loop.call_later(self._patience.unread_seconds, self.transport.abort))
