"""The one door of a process: what is the API's goes to the API, and all else to the console."""

from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

# Everything that the API serves lies under one of these; a test walks its routes.
OF_THE_API: Final = ("/v1", "/codec", "/health", "/docs", "/openapi.json", "/me", "/static-offline-docs")


class Front:
    """ASGI application of both; the life of the API is the life of the process."""

    def __init__(self, api: FastAPI, console: ASGIApp) -> None:
        self.api = api
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call by the application whose it is."""
        is_page = scope["type"] == "http" and not of_the_api(scope["path"])
        await (self._console if is_page else self.api)(scope, receive, send)


def of_the_api(path: str) -> bool:
    """Whether a path is the API's."""
    return any(path == each or path.startswith(f"{each}/") for each in OF_THE_API)
