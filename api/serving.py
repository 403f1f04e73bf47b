"""How API and console are served, wherever they are: one set of settings of the HTTP server for every command."""

import asyncio
import resource
import socket
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_network
from typing import Any, Final

import uvicorn

from api.app import create_app
from api.connections import Connection
from api.patience import Patience
from cases.keys.start import check_keys_at_start
from cases.shared.build import load_files
from console.app import create_console
from console.front import Front
from privacy.browser_sessions import BrowserSessions
from programmes import PROGRAMMES
from settings import Settings
from temporal.client import connect_config
from temporal.recording import configure_tracing
from temporal.telemetry import configure_logging

_MOST_FILES: Final = 16_384
# For the database, Temporal, the issuer, logs, and files of uploads.
_OTHER_FILES: Final = 256
_PART_OF_AN_ADDRESS: Final = 4


def server_options(settings: Settings, patience: Patience | None = None) -> dict[str, Any]:
    """Return the options of uvicorn, but for the application itself."""
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _MOST_FILES)
    most = max(64, files - _OTHER_FILES)
    connection = partial(
        Connection,
        patience=patience or Patience(),
        most=most,
        most_an_address=max(32, most // _PART_OF_AN_ADDRESS),
        proxies=[ip_network(each) for each in settings.proxies],
    )
    return {
        "host": settings.api_host,
        "port": settings.api_port,
        "http": connection,
        "ws": "none",
        # Without a list of them uvicorn believes whoever calls from this machine.
        "proxy_headers": bool(settings.proxies),
        "forwarded_allow_ips": settings.proxies,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        # Longer than clients and proxies keep a connection that rests (httpx 5 s, nginx 60 s), so that they close it: a
        # call that is sent while the server closes breaks.
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 10,
    }


async def prepare(settings: Settings) -> Front:
    """Return API and console with its files read: what is wrong with them ends the command, and not the server's start.

    Raises:
        OSError, ValueError: as the reader of a file says.
        KeyFileError: when the key file cannot be used.
        KeysRefusedError: when this process must not work with the keys that it holds.
    """
    files = load_files(settings, PROGRAMMES)
    connect_config(settings.temporal_api_key_file)
    await check_keys_at_start(settings, "api", files)
    api = create_app(settings, files=files)
    return Front(
        api,
        create_console(
            settings, api, sessions=lambda: BrowserSessions(api.state.wiring.context), clock=lambda: datetime.now(UTC)
        ),
    )


def serve(settings: Settings) -> None:
    """Serve until a signal ends it, with as many connections as the system lets this process have.

    Raises:
        KeyFileError: when the key file cannot be used.
        KeysRefusedError: when this process must not work with the keys that it holds.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _MOST_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, _MOST_FILES), hard))
    app = asyncio.run(prepare(settings))
    configure_logging("api", settings.log_level)
    configure_tracing("api")
    # Asked for here, since the server itself would only log that it is taken.
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    with socket.create_server((settings.api_host, settings.api_port), family=family, backlog=2048) as listening:
        uvicorn.Server(uvicorn.Config(app, **server_options(settings))).run(sockets=[listening])
