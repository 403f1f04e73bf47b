"""The console as an application of its own, which stands beside the API's in one process and asks that one."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from console import served
from console.frame import Frame, add_refusals, policy_of
from console.issuer import Issuer
from console.pages import PAGES
from console.session import Sessions
from domain.clock import day_of
from settings import Settings

_UNTRACED: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_console(
    settings: Settings, api: ASGIApp, *, sessions: Callable[[], Sessions], clock: Callable[[], datetime]
) -> FastAPI:
    """Return the console; it has no life of its own, so it works as soon as the API does.

    `sessions` is asked for with each page, since where they are kept is open only once the API has started.
    """
    app = FastAPI(
        title="Hetao permits, console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=_UNTRACED,
    )
    app.state.api = api
    app.state.settings = settings
    app.state.sessions = sessions
    app.state.issuer = Issuer(settings)
    app.state.today = lambda: day_of(clock())
    app.state.notes = lambda _: ("sample",) if settings.env != "production" else ()
    for page in PAGES:
        app.router.routes.extend(page.router.routes)
    app.router.routes.extend(served.router.routes)
    add_refusals(app)
    app.add_middleware(Frame, policy=policy_of())
    return app
