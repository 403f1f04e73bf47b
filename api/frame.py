"""The frame around every call: correlation id, form of the address, places, trace, metrics, access log, last resort."""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes
from uuid import uuid4

import structlog
from opentelemetry import trace
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import call_metrics
from api.callers import client_of
from api.limiting import Limiter
from api.shares import Place
from domain.accept_language import negotiate
from domain.errors import Refused, Unavailable
from domain.languages import Language
from domain.references import find_reference
from temporal.telemetry import concern, correlated, current_reference, describe
from temporal.traces import caller_context

CORRELATION_HEADER: Final = "X-Correlation-ID"
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_LONGEST_ADDRESS: Final = 8 * 1024
_UNSHED: Final = frozenset({"/health/live", "/health/ready"})

_FAILED: Final = 500
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})

_log = structlog.get_logger("api.access")
_tracer = trace.get_tracer("hetao.api")

Refuse = Callable[[Refused | Unavailable, Language], Response]
# The headers that answers have beside those that all have, by the path.
Further = Callable[[str], Sequence[tuple[bytes, bytes]]]
# Writes a defect down for the operator and returns the answer of the call that met it.
Report = Callable[[Exception, Scope], Awaitable[Response]]


class Frame:
    """ASGI middleware around the whole app; what it writes down names routes by their template only."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limiter: Limiter,
        refuse: Refuse,
        report: Report,
        further: Further,
        prefixes: frozenset[str],
    ) -> None:
        self._app = app
        self._prefixes = prefixes
        self._report = report
        self._further = further
        self._limiter = limiter
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = _method(scope)
        if method == "HEAD":
            # Served as the GET that it asks about; the server's own scope keeps the method, and so do the figures.
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        shown, correlation_id = _correlation_id(headers.get("x-correlation-id"))
        state = scope.setdefault("state", {})
        state["correlation_id"] = correlation_id
        state["language"] = negotiate(headers.get("accept-language"))
        answer = _Answer(send, shown, self._further(scope["path"]), secret=scope["path"].startswith(("/v1", "/codec")))
        parent = caller_context(headers)
        with correlated(correlation_id), _tracer.start_as_current_span("http", parent, trace.SpanKind.SERVER) as span:
            began = time.perf_counter()
            with call_metrics.IN_PROGRESS.track_inprogress():
                await self._serve(scope, receive, answer)
            route = route_of(scope)
            seconds = time.perf_counter() - began
            span.update_name(f"{method} {route}")
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", answer.status)
            if answer.status >= _FAILED:
                span.set_status(trace.StatusCode.ERROR)
            call_metrics.ANSWERED.labels(method, route, str(answer.status)).inc()
            call_metrics.LATENCY.labels(method, route).observe(seconds)
            actor = state.get("actor")
            reference = find_reference(str(scope.get("path_params", {}).get("reference", "")), self._prefixes)
            if reference is not None:
                concern(reference)
            if about := current_reference():
                span.set_attribute("hetao.case", about)
            _log.info(
                "request",
                method=method,
                route=route,
                status=answer.status,
                ms=round(seconds * 1000, 1),
                role=actor.role.value if actor is not None else None,
            )

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            _check_address(scope)
            if scope["path"] in _UNSHED:
                await self._app(scope, receive, answer)
                return
            with self._limiter.places.place_for(client_of(scope)) as place:
                scope["state"]["place"] = answer.place = place
                await self._app(scope, receive, answer)
        except ClientDisconnect:
            answer.status = answer.status or 499
        except (Refused, Unavailable) as refused:
            if not answer.status:
                await self._refuse(refused, scope["state"]["language"])(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - the last resort: no error of ours shows itself to a caller
            _log.error("unexpected_error", route=route_of(scope), **describe(error))
            response = await self._report(error, scope)
            if not answer.status:
                await response(scope, receive, answer)


class _Answer:
    """Sends an answer on, with the headers that every answer has, and remembers its status."""

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        correlation_id: str,
        further: Sequence[tuple[bytes, bytes]],
        *,
        secret: bool,
    ) -> None:
        self._send = send
        self._further = further
        self._correlation_id = correlation_id
        self._secret = secret
        self.status = 0
        self.place: Place | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # All that had to be done is done: how fast the answer is read is the reader's affair, at nobody's cost.
            if self.place is not None:
                self.place.leave()
            self.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            added = [
                (CORRELATION_HEADER.lower().encode(), self._correlation_id.encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"vary", b"Accept-Language"),
                *self._further,
            ]
            if self._secret:
                added.append((b"cache-control", b"no-store"))
            message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in present)]
        await self._send(message)


def _without_body(send: Send) -> Send:
    """Return what sends the head of an answer and leaves its body out."""

    async def head_alone(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return head_alone


def route_of(scope: Scope) -> str:
    """Return the template of the route that serves a call, or a word for none: never the address as sent."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "unknown"


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "OTHER"


def _correlation_id(given: str | None) -> tuple[str, str]:
    """Return the id that the caller is shown, and the one that is written down.

    A caller may send the same id with every call, and another caller the same one, so ours adds something to it.
    """
    if given is not None and _WELL_FORMED.fullmatch(given):
        return given, f"{given}.{uuid4().hex[:8]}"
    fresh = uuid4().hex
    return fresh, fresh


def _check_address(scope: Scope) -> None:
    """Refuse an address with escapes that are none, that is not UTF-8 once decoded, or with control characters."""
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
    query: bytes = scope.get("query_string", b"")
    if len(path) + len(query) > _LONGEST_ADDRESS:
        raise Refused("malformed", "The address is too long.")
    for part in (path, query):
        if _BAD_ESCAPE.search(part):
            raise Refused("malformed", "The address has a percent sign that begins no escape.")
        try:
            text = unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("malformed", "The address is not UTF-8.") from None
        if any(mark < " " or mark == "\x7f" for mark in text):
            raise Refused("malformed", "The address has a control character.")
