"""Routes of pages: who may see one, and that a form is of the session that sends it."""

import hmac
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse

from console.calling import Api
from domain.actors import Role
from domain.browser_sessions import Session

CSRF_FIELD: Final = "_csrf"
KEY_FIELD: Final = "_key"
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class NotSignedInError(Exception):
    """The page is for those who are signed in, and nobody is."""


class NotForYouError(Exception):
    """The page is for other roles than the reader's."""


class ForeignFormError(Exception):
    """The form is not of this session: it was rendered for another one, or by another site."""


def signed_in(*roles: Role) -> Any:
    """Let in whoever is signed in with one of the roles, or with any where none is named, and hand over the session."""

    async def check(request: Request) -> Session:
        session: Session | None = request.state.session
        if session is None:
            raise NotSignedInError
        if roles and session.role not in roles:
            raise NotForYouError
        if request.method in _WRITES:
            form = await request.form()
            given = form.get(CSRF_FIELD)
            if not isinstance(given, str) or not hmac.compare_digest(given.encode(), session.csrf.encode()):
                raise ForeignFormError
        return session

    return Depends(check)


def _api(request: Request) -> Api:
    return Api(request.app.state.api, request)


Calls = Annotated[Api, Depends(_api)]


def see_other(path: str) -> RedirectResponse:
    """Return the way on after an act: a page that may be loaded again without doing it again."""
    return RedirectResponse(path, status_code=303)


def text_of(form: FormData, name: str) -> str:
    """Return what was typed into a field, without the space around it; nothing where it was not sent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def form_key(form: FormData) -> str:
    """Return the idempotency key that a form was rendered with; its act is done once, however often it is sent."""
    return text_of(form, KEY_FIELD)


def new_key() -> str:
    """Return an idempotency key for a form that is rendered now."""
    return uuid4().hex
