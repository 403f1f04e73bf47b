"""Two servers to compare: our API with its rate limits lifted, and bare routes that write and read the same rows."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from api.app import create_app
from api.limiting import Allowance
from api.serving import server_options
from bench.growth.rows import Template, inserts
from programmes.talent_permit.requests import RegistrationRequest
from settings import Settings
from store.keyring import Keyring
from temporal.telemetry import configure_logging

UNLIMITED = Allowance(caller_a_minute=10**9, tenant_a_minute=10**9, at_once=10**6)


def bare_app(database_url: str, keys_file: Path, reference: str) -> FastAPI:
    """Return routes without sign-in, tenants, rules, rendering or ledger hashes: the rows and nothing else.

    What it writes are the rows that our intake wrote for the case `reference`, under new ids and newly sealed.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=10, max_size=10) as pool:
            keyring = Keyring.load(keys_file)
            async with pool.acquire() as connection:
                app.state.template = await Template.capture(connection, keyring, reference)
            app.state.pool, app.state.keyring = pool, keyring
            app.state.inserts = list(inserts(app.state.template))
            app.state.count = 0
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.post("/v1/registrations", status_code=202)
    async def submit(request: Request, body: RegistrationRequest) -> JSONResponse:
        state = request.app.state
        state.count += 1
        rows = state.template.copies(
            state.keyring, 10**8 + state.count, employer_id="emp-b", earlier=timedelta(seconds=state.count)
        )
        async with state.pool.acquire() as connection, connection.transaction():
            for name, statement, names in state.inserts:
                await connection.executemany(statement, [[row[column] for column in names] for row in rows[name]])
        return JSONResponse({"reference": rows["cases"][0]["reference"]}, status_code=202)

    @app.get("/v1/registrations/{reference}")
    async def one(reference: str, request: Request) -> Response:
        return await _rows(request, "SELECT * FROM cases WHERE reference = $1", reference)

    @app.get("/v1/registrations")
    async def several(request: Request) -> Response:
        query = "SELECT * FROM cases WHERE employer_id = 'emp-a' ORDER BY updated_at, reference LIMIT 20"
        return await _rows(request, query)

    @app.get("/v1/tasks")
    async def tasks(request: Request) -> Response:
        query = "SELECT * FROM tasks WHERE state = 'open' ORDER BY overdue DESC, due_at, opened_at LIMIT 20"
        return await _rows(request, query)

    return app


async def _rows(request: Request, query: str, *values: str) -> Response:
    found = await request.app.state.pool.fetch(query, *values)
    body = orjson.dumps([dict(row) for row in found], default=_plain)
    return Response(body, media_type="application/json")


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, UUID) else value.hex()


def main() -> None:
    """Serve one of the two."""
    port = int(sys.argv[2])
    if sys.argv[1] == "ours":
        settings = Settings()
        configure_logging("api", "WARNING")
        app = create_app(settings, allowance=UNLIMITED)
        options = server_options(settings)
    else:
        told = json.loads(sys.argv[3])
        app = bare_app(told["database_url"], Path(told["keys_file"]), told["reference"])
        options = {"log_config": None, "access_log": False}
    uvicorn.run(app, **options | {"host": "127.0.0.1", "port": port})


if __name__ == "__main__":
    main()
