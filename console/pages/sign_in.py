"""Signing in by the issuer, signing out here or everywhere, and the account."""

import base64
import binascii
from dataclasses import asdict
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.calling import ProblemError
from console.entries import home_of
from console.issuer import Begun, Issuer, SignInError
from console.rendering import render
from console.routes import Calls, new_key, see_other, signed_in, text_of
from console.session import Sessions, cookie_name
from domain.browser_sessions import Session

router: Final = APIRouter()
_BEGUN_COOKIE: Final = "hetao-sign-in"
_BEGUN_SECONDS: Final = 600
_LONGEST_NEXT: Final = 500


@router.get("/sign-in")
async def sign_in(request: Request, next: str = "") -> Response:
    """Lead to the issuer's page, and remember what for."""
    issuer: Issuer = request.app.state.issuer
    begun, address = await issuer.begin(_own_path(next))  # while the issuer is away, the page of that says so
    answer = see_other(address)
    kept = base64.urlsafe_b64encode(orjson.dumps(asdict(begun))).decode()
    _set_cookie(request, answer, _BEGUN_COOKIE, kept, max_age=_BEGUN_SECONDS, path="/signed-in")
    return answer


@router.get("/signed-in")
async def come_back(request: Request, api: Calls, state: str = "", code: str = "") -> Response:
    """Exchange the issuer's code, and open a session with a secret that no page before has had."""
    begun = _begun(request.cookies.get(_BEGUN_COOKIE))
    if begun is None or not state or state != begun.state or not code:
        return _not_let_in(request)
    issuer: Issuer = request.app.state.issuer
    try:
        account, ends_at = await issuer.exchange(begun, code)
    except SignInError:
        return _not_let_in(request)
    request.state.session = Session(**asdict(account), csrf="")
    try:
        await api.call("GET", "/v1/reasons")  # whether the API takes the token; its first use is recorded with it
    except ProblemError as refused:
        if refused.status not in (401, 403):
            raise
        return _not_let_in(request)
    finally:
        request.state.session = None
    sessions: Sessions = request.app.state.sessions()
    if before := request.cookies.get(cookie_name(request)):
        await sessions.end(before)
    secret = await sessions.open(account, ends_at)
    answer = see_other(begun.next or home_of(account.role))
    _set_cookie(request, answer, cookie_name(request), secret)
    answer.delete_cookie(_BEGUN_COOKIE, path="/signed-in")
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, session: Annotated[Session, signed_in()]) -> Response:
    """End this session, or with `everywhere` all of the account."""
    form, sessions = await request.form(), request.app.state.sessions()
    if text_of(form, "everywhere"):
        await sessions.end_all(session)
    elif secret := request.cookies.get(cookie_name(request)):
        await sessions.end(secret)
    answer = see_other("/")
    answer.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True)
    return answer


@router.get("/account")
async def account(request: Request, session: Annotated[Session, signed_in()]) -> Response:
    """Show who is signed in, as what, and at how many browsers."""
    count = await request.app.state.sessions().count(session)
    return render(request, "account", count=count, key=new_key())


def _not_let_in(request: Request) -> Response:
    page = render(request, "not_let_in", status=403)
    page.delete_cookie(_BEGUN_COOKIE, path="/signed-in")
    return page


def _own_path(path: str) -> str:
    """Return where to go on after signing in: a path of the console, and never another place."""
    is_own = path.startswith("/") and not path.startswith("//") and "\\" not in path and len(path) <= _LONGEST_NEXT
    return path if is_own and path.isprintable() else ""


def _begun(kept: str | None) -> Begun | None:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(kept or ""))
        begun = Begun(**found)
    except (ValueError, TypeError, binascii.Error):
        return None
    return Begun(str(begun.state), str(begun.nonce), str(begun.verifier), _own_path(str(begun.next)))


def _set_cookie(
    request: Request, answer: RedirectResponse, name: str, value: str, *, max_age: int | None = None, path: str = "/"
) -> None:
    answer.set_cookie(
        name, value, max_age=max_age, path=path, secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )
