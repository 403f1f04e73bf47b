"""Styles and scripts as they were built, under names that hold their hash, so that a browser keeps them for good."""

from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

router: Final = APIRouter()
_KINDS: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@cache
def _content(name: str) -> bytes | None:
    file = files("console") / "assets" / "served" / name
    return file.read_bytes() if "/" not in name and file.is_file() else None


@router.get("/assets/{name}", include_in_schema=False)
async def asset(request: Request, name: str) -> Response:
    """Return a file, packed where the browser takes that."""
    kind = _KINDS.get(name.rpartition(".")[2])
    content = _content(name) if kind else None
    if content is None:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    packed = _content(f"{name}.gz") if "gzip" in request.headers.get("accept-encoding", "") else None
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(packed or content, headers=headers, media_type=kind)
