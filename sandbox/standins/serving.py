"""What the stand-ins share: their command line, their refusal to run in production, and their error shape."""

import argparse
import os
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

PROBLEM = "application/problem+json"
STOP_SECONDS = 2


class ProblemError(Exception):
    """A request that a stand-in answers with a problem document (RFC 9457)."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: dict[str, str] | None = None,
        fields: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.fields = fields
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers


def refuse_production() -> None:
    """End the program where it runs in production, where a stand-in would deceive."""
    if os.environ.get("HETAO_ENV") == "production":
        sys.exit("This is a stand-in for tests and demonstrations: it does not run with HETAO_ENV=production.")


def arguments(description: str, *further_ports: str) -> argparse.Namespace:
    """Read `--dir`, `--port` and the further ports of a stand-in from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dir", type=Path, required=True, help="directory of its books")
    parser.add_argument("--port", type=int, required=True, help="HTTP port on 127.0.0.1")
    for name in further_ports:
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args()


def serve(app: FastAPI, port: int) -> None:
    """Serve on 127.0.0.1 until a signal ends it."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def add_problems(app: FastAPI) -> None:
    """Answer refused requests of this application with problem documents."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)


def check_bearer(request: Request, token: str) -> None:
    """Refuse a request that does not carry this token."""
    if request.headers.get("authorization") != f"Bearer {token}":
        raise ProblemError(401, "token_invalid", "The bearer token is missing or not the one agreed.")


def setting(name: str) -> str:
    """Read one `SANDBOX_*` variable, by which secrets reach a stand-in without showing in its command line."""
    value = os.environ.get(name)
    if value is None:
        sys.exit(f"The environment variable {name} is not set.")
    return value


async def _problem(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ProblemError):
        raise error
    body = {
        "type": "about:blank",
        "title": error.code.replace("_", " "),
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "errors": [{"field": field, "code": error.code, "message": "not as agreed"} for field in error.fields],
    }
    return JSONResponse(body, status_code=error.status, headers=error.headers, media_type=PROBLEM)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    # Only the places of the faults: a stand-in repeats no value it was given.
    fields = tuple(".".join(str(part) for part in fault["loc"][1:]) for fault in error.errors())
    detail = f"These fields are not as agreed: {', '.join(fields)}."
    return await _problem(request, ProblemError(422, "invalid", detail, fields=fields))
