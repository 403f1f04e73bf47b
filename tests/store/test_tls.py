"""The line to PostgreSQL: an address that asks for TLS speaks nothing else."""

import asyncio

import pytest

from domain.errors import Unavailable
from store.database import Database

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


async def test_an_address_that_asks_for_tls_says_nothing_in_clear_to_a_server_without() -> None:
    heard: list[bytes] = []
    over = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.write(b"N")
        heard.append(await reader.read(100))
        writer.close()
        over.set()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database(f"postgresql://hetao_app:secret@127.0.0.1:{port}/hetao?ssl=require")
    with pytest.raises(Unavailable):
        async with database.begin():
            pass
    await database.close()
    await asyncio.wait_for(over.wait(), 5)
    server.close()

    assert heard == [SSL_REQUEST, b""]
