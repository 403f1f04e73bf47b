"""The front page: where a reader who is signed in goes home from, and where all others see what there is to do."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.entries import home_of
from console.rendering import render
from console.routes import see_other

router: Final = APIRouter()


@router.get("/")
async def front(request: Request) -> Response:
    """Lead home, or say what can be done here and by whom."""
    session = request.state.session
    home = home_of(session.role) if session is not None else "/"
    return render(request, "front") if home == "/" else see_other(home)
