"""A relay in front of PostgreSQL that counts what a process says to it: round trips, transactions, statements."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

_SSL_REQUEST: Final = 80877103
_CANCEL_REQUEST: Final = 80877102
_GSS_REQUEST: Final = 80877104
_TABLE: Final = re.compile(r"(?:INTO|UPDATE|FROM|JOIN)\s+([a-z_]+)", re.IGNORECASE)


# How the driver asks for the types of a statement's values, without JIT as long as it asks.
_OF_TYPES: Final = ("WITH RECURSIVE typeinfo_tree", "SELECT current_setting('jit')", "SELECT set_config('jit'")


@dataclass(slots=True)
class Trip:
    """One round trip: what was asked, and how many bytes went there."""

    sql: str
    bytes_sent: int = 0
    is_preparation: bool = False

    @property
    def is_once(self) -> bool:
        """Whether a connection makes it once only: to prepare a statement, or to learn the types of its values."""
        return self.is_preparation or " ".join(self.sql.split()).startswith(_OF_TYPES)

    @property
    def is_frame(self) -> bool:
        """Whether it only begins or ends a transaction or savepoint."""
        return self.sql.split(" ", 1)[0].rstrip(";").upper() in {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}

    def describe(self) -> str:
        """Return the statement's first word and table, which names it well enough in a breakdown."""
        words = " ".join(self.sql.split())
        if self.is_frame:
            return words.split(" ", 1)[0].rstrip(";").upper()
        if "set_config" in words:
            return "SELECT set_config"
        if "FROM cases r JOIN" in words:
            return "SELECT case"
        table = _TABLE.search(words)
        return f"{words.split(' ', 1)[0].upper()} {table.group(1) if table else words[:30]}"


@dataclass(slots=True)
class Transaction:
    """The round trips of one transaction of one connection, `BEGIN` and `COMMIT` included."""

    application: str
    trips: list[Trip] = field(default_factory=list)
    committed: bool = False

    @property
    def round_trips(self) -> int:
        """Return the round trips but for those that a connection makes once for each statement."""
        return sum(not trip.is_once for trip in self.trips)

    @property
    def preparations(self) -> int:
        """Return the round trips that a connection makes once for each statement."""
        return sum(trip.is_once for trip in self.trips)

    @property
    def statements(self) -> list[str]:
        """Return the statements between begin and end, described."""
        return [trip.describe() for trip in self.trips if not trip.is_frame and not trip.is_once]

    @property
    def writes(self) -> bool:
        """Whether anything in it changes or locks rows."""
        words = {statement.split(" ", 1)[0] for statement in self.statements}
        return bool(words & {"INSERT", "UPDATE", "DELETE", "WITH", "COPY"})


@dataclass(slots=True)
class Tally:
    """What was counted so far, in the order in which transactions ended."""

    transactions: list[Transaction] = field(default_factory=list)

    def mark(self) -> int:
        """Return a place in the count, to be handed to `since`."""
        return len(self.transactions)

    def since(self, mark: int) -> list[Transaction]:
        """Return the transactions that ended after a mark."""
        return self.transactions[mark:]


class Relay:
    """Passes bytes on between clients and one PostgreSQL and reads the clients' side of the protocol on the way."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self.tally = Tally()

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        assert self._server is not None
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        heard = _Connection(self.tally)
        try:
            await asyncio.gather(
                _pass(reader, upstream_writer, heard),
                _pass(upstream_reader, writer, None),
            )
        finally:
            for each in (writer, upstream_writer):
                each.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: "_Connection | None") -> None:
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        while data := await reader.read(65536):
            if heard is not None:
                heard.feed(data)
            writer.write(data)
            await writer.drain()
    writer.close()


class _Connection:
    """Reads the messages that one client sends (PostgreSQL's frontend protocol, version 3)."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = bytearray()
        self._started = False
        self._application = ""
        self._prepared: dict[bytes, str] = {}
        self._asked = ""
        self._bytes = 0
        self._bound = False
        self._open: Transaction | None = None

    def feed(self, data: bytes) -> None:
        """Take in bytes as they come."""
        self._buffer += data
        for kind, body in self._messages():
            self._bytes += len(body) + 5
            self._take(kind, body)

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        while True:
            head = 4 if not self._started else 5
            if len(self._buffer) < head:
                return
            length = int.from_bytes(self._buffer[head - 4 : head])
            if len(self._buffer) < length + head - 4:
                return
            body = bytes(self._buffer[head : length + head - 4])
            kind = b"" if not self._started else bytes(self._buffer[:1])
            del self._buffer[: length + head - 4]
            yield kind, body

    def _take(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"":
                if int.from_bytes(body[:4]) not in (_SSL_REQUEST, _CANCEL_REQUEST, _GSS_REQUEST):
                    self._started = True
                    parts = body[4:].split(b"\0")
                    told = dict(zip(parts[::2], parts[1::2], strict=False))
                    self._application = told.get(b"application_name", b"").decode()
            case b"P":
                name, sql, *_ = body.split(b"\0", 2)
                self._asked = self._prepared[name] = sql.decode(errors="replace")
            case b"B":
                _portal, name, *_ = body.split(b"\0", 2)
                self._asked = self._prepared.get(name, self._asked)
                self._bound = True
            case b"Q":
                self._end_trip(body.rstrip(b"\0").decode(errors="replace"), is_preparation=False)
            case b"S" | b"H":
                self._end_trip(self._asked, is_preparation=not self._bound)

    def _end_trip(self, sql: str, *, is_preparation: bool) -> None:
        trip = Trip(sql.strip(), self._bytes, is_preparation)
        self._bytes, self._bound = 0, False
        word = trip.describe()
        if word in ("BEGIN", "START"):
            self._open = Transaction(self._application)
        transaction = self._open or Transaction(self._application)
        transaction.trips.append(trip)
        if self._open is None or (word in ("COMMIT", "ROLLBACK") and " TO " not in trip.sql.upper()):
            transaction.committed = word != "ROLLBACK"
            self._tally.transactions.append(transaction)
            self._open = None
