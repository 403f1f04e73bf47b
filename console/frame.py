"""The frame around every page: who reads it in which language, what headers it has, and how a refusal looks."""

from typing import Final
from urllib.parse import quote
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.calling import ProblemError
from console.rendering import render
from console.routes import ForeignFormError, NotForYouError, NotSignedInError
from console.session import cookie_name
from domain.accept_language import negotiate
from domain.errors import Unavailable
from domain.languages import Language
from temporal.telemetry import correlated, describe

LANGUAGE_COOKIE: Final = "lang"
_A_YEAR: Final = 365 * 24 * 3600
_log = structlog.get_logger("console.frame")


def policy_of(issuer: str | None = None) -> str:
    """Return the content security policy: all that a page loads is the console's own, and no script or style inline.

    A form may lead to the issuer too, since browsers hold the way on after a form to the same rule (CSP 3, 6.4.2).
    """
    actions = f"'self' {issuer}" if issuer else "'self'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; form-action {actions}; frame-ancestors 'none'; base-uri 'none'"
    )


class Frame:
    """ASGI middleware around all pages."""

    def __init__(self, app: ASGIApp, *, policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        state = request.state
        state.correlation_id, state.session = uuid4().hex, None
        chosen = _language(request.query_params.get("lang"))
        state.language = (
            chosen
            or _language(request.cookies.get(LANGUAGE_COOKIE))
            or negotiate(request.headers.get("accept-language"))
        )
        answered = False

        async def answer(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                present = {name.lower() for name, _ in message["headers"]}
                added = [*self._headers, (b"cache-control", b"no-store")]
                if chosen is not None:
                    cookie = f"{LANGUAGE_COOKIE}={chosen.value}; Path=/; Max-Age={_A_YEAR}; SameSite=Lax"
                    secure = "; Secure" if scope["scheme"] == "https" else ""
                    added.append((b"set-cookie", (cookie + secure).encode()))
                message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in present)]
            await send(message)

        with correlated(state.correlation_id):
            try:
                secret = request.cookies.get(cookie_name(request))
                if secret and not scope["path"].startswith("/assets/"):
                    state.session = await request.app.state.sessions().find(secret)
                await self._app(scope, receive, answer)
            except Unavailable as error:
                if not answered:
                    await error_page(request, 503, "unavailable", retry_after=error.retry_after)(scope, receive, answer)
            except Exception as error:  # noqa: BLE001 - the last resort: no error of ours shows itself to a reader
                _log.error("page_failed", route=getattr(scope.get("route"), "path", None), **describe(error))
                if not answered:
                    await error_page(request, 500, "defect")(scope, receive, answer)


def add_refusals(app: FastAPI) -> None:
    """Let every refusal have a page that says what happened and what to do."""
    app.add_exception_handler(NotSignedInError, _on_not_signed_in)
    app.add_exception_handler(NotForYouError, _on_not_for_you)
    app.add_exception_handler(ForeignFormError, _on_foreign_form)
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(HTTPException, _on_http)


def error_page(
    request: Request, status: int, code: str, *, problem: ProblemError | None = None, retry_after: float | None = None
) -> Response:
    """Return the page of a refusal: the catalogue's words, or the API's where it said more."""
    page = render(request, "error", status=status, code=code, problem=problem)
    if retry_after is not None:
        page.headers["Retry-After"] = str(max(1, round(retry_after)))
    return page


async def _on_not_signed_in(request: Request, _: Exception) -> Response:
    wanted = request.url.path if request.method == "GET" else ""
    query = f"?{request.url.query}" if wanted and request.url.query else ""
    return RedirectResponse(f"/sign-in?next={quote(wanted + query)}" if wanted else "/sign-in", status_code=303)


async def _on_not_for_you(request: Request, _: Exception) -> Response:
    return error_page(request, 403, "not_for_you")


async def _on_foreign_form(request: Request, _: Exception) -> Response:
    return error_page(request, 403, "foreign_form")


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    if error.status == 401:  # the token came to its end before the session did
        return await _on_not_signed_in(request, error)
    code = {403: "not_for_you", 404: "not_found", 429: "too_many"}.get(error.status, "refused")
    return error_page(request, error.status, code, problem=error)


async def _on_unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)
    return error_page(request, 503, "unavailable", retry_after=error.retry_after)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_page(request, error.status_code, "not_found" if error.status_code in (404, 405) else "refused")


def _language(named: str | None) -> Language | None:
    return next((each for each in Language if each.value == named), None)
