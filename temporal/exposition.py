"""The port of a process's metrics: ours and those of Temporal's core as one text, and what else is asked there."""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any, Final
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, disable_created_metrics, generate_latest

_CORE_SECONDS: Final = 2.0
_PLAIN: Final = "text/plain; charset=utf-8"
# No proxy of the environment stands between a process and itself.
_open = build_opener(ProxyHandler({})).open
_log = structlog.get_logger(__name__)

# Answers a path beside /metrics: the status line, such as `503 Service Unavailable`, type of content, and body.
Answer = Callable[[], tuple[str, str, bytes]]

# When a counter began is told by no alert of ours, and doubles the series. It is said for the whole process.
disable_created_metrics()  # type: ignore[no-untyped-call]


def serve_metrics(
    port: int, host: str = "127.0.0.1", *, core_url: str | None = None, beside: Mapping[str, Answer] | None = None
) -> WSGIServer | None:
    """Serve `GET /metrics` of this process, in threads of its own.

    Args:
        port: on which; 0 turns all of it off.
        host: the address to listen on.
        core_url: where the core of the SDK serves its own metrics (`temporal.runtime`).
        beside: by path, what else is answered on the port. They are called in a thread and must not wait for the loop.

    Returns:
        The server, to be shut down where the process outlives it, or None.

    Raises:
        OSError: where the port cannot be had.
    """
    if not port:
        return None

    def answer(environ: dict[str, Any], start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
        status, kind, body = _answer(environ["PATH_INFO"], core_url, beside or {})
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    class Server(_Server):
        # WSGIServer takes IPv4 unless it is told otherwise.
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = make_server(host, port, answer, Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def exposition(core_url: str | None) -> bytes:
    """Return the metrics of this process, and those of the core where it can be asked."""
    ours = generate_latest()
    if core_url is None:
        return ours
    try:
        with _open(core_url, timeout=_CORE_SECONDS) as response:
            return ours + bytes(response.read())
    except (URLError, OSError) as error:
        _log.warning("core_metrics_away", error=type(error).__name__)
        return ours


def _answer(path: str, core_url: str | None, beside: Mapping[str, Answer]) -> tuple[str, str, bytes]:
    if path in beside:
        return beside[path]()
    if path == "/metrics":
        return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, exposition(core_url)
    return "404 Not Found", _PLAIN, b"Ask /metrics.\n"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each call."""
